# Sockets for programs on the host: each has its own unit, of one template, and a link that starts it at boot.
# Needs functions: note service
# Needs variables: BACK LISTENER RUN T TLS_SOCKET UNITS
# Needs programs: cut rm rmdir systemctl

program_units() {
  for link in "$UNITS/sockets.target.wants/docker-tls-role@"*.socket; do [ ! -L "$link" ] || printf '%s ' "${link##*/}"; done
}

# Sets `path` to the socket of a unit: program_path UNIT
program_path() {
  path=${1#docker-tls-role@}
  path=$RUN/docker-tls/${path%.socket}.sock
}

# Sets `silent` to the units of sockets that nobody listens on.
program_sockets_listen() {
  silent=
  units=$(program_units)
  [ -n "$units" ] || return 0
  states=$(systemctl is-active $units 9<&-)
  set -- $states
  for unit in $units; do
    program_path "$unit"
    { [ -S "$path" ] && [ "${1:-}" = active ]; } || silent="$silent$unit "
    [ $# -eq 0 ] || shift
  done
  [ -z "$silent" ]
}

# Stops the units of sockets that are no longer wanted or have lost their file, or all if their template changes. While there is one, the
# directory stays the one that containers may have mounted.
drop_program_sockets() {
  dropped=
  for unit in $(systemctl list-units --plain --no-legend --type=socket 'docker-tls-role@*' 9<&- | cut -d ' ' -f 1); do
    program_path "$unit"
    if [ ! -e "$T/role-sockets-changed" ] && [ -L "$UNITS/sockets.target.wants/$unit" ] && [ -S "$path" ]; then continue; fi
    dropped="$dropped$unit "
  done
  if [ -n "$dropped" ]; then
    # systemd 262 stops none of a call where it does not know one.
    service stop $dropped 2>/dev/null || for unit in $dropped; do service stop "$unit" 2>/dev/null; done
    systemctl reset-failed $dropped 2>/dev/null 9<&-
  fi
  # systemd no longer knows that it has to remove the socket, if the template is gone.
  for unit in $dropped; do
    program_path "$unit"
    rm -f -- "$path" 2>/dev/null
  done
  for unit in $(program_units); do
    # Docker makes a directory where a container mounts a socket that is not there.
    program_path "$unit"
    rmdir -- "$path" 2>/dev/null
  done
  [ -n "$(program_units)" ] || rmdir -- "$RUN/docker-tls" 2>/dev/null
}

# One that cannot listen fails a change. It keeps nothing else from starting at a boot, and in a rollback: it may not have listened before.
start_listener() {
  [ ! -e "$UNITS/$TLS_SOCKET" ] || service start "$TLS_SOCKET" || return 1
  units=$(program_units)
  if [ -n "$units" ] && ! service start $units; then
    [ "$BACK" = yes ] || return 1
    program_sockets_listen || case $REMARK in
      *"$silent"*) ;;
      *)
        REMARK="${REMARK:+$REMARK; }nobody listens on: $silent"
        note "$REMARK"
        ;;
    esac
  fi
  service start "$LISTENER"
}
