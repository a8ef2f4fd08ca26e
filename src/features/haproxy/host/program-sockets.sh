# Sockets for programs on the host: each has its own unit, of one template, and a link that starts it at boot.
# Needs functions: note service
# Needs variables: BACK LISTENER RUN INACTIVE_SOCKETS T TLS_SOCKET UNITS
# Needs programs: cut rm rmdir systemctl

program_units() {
  for link in "$UNITS/sockets.target.wants/docker-tls-role@"*.socket; do [ ! -L "$link" ] || printf '%s ' "${link##*/}"; done
}

# Sets `path` to the socket of a unit: program_path UNIT
program_path() {
  path=${1#docker-tls-role@}
  path=$RUN/docker-tls/${path%.socket}.sock
}

# Is the socket of a unit there? Through a link, it may be another user's: is_socket UNIT
is_socket() {
  program_path "$1"
  [ -S "$path" ] && [ ! -L "$path" ] && [ ! -L "$RUN/docker-tls" ]
}

# Sets `inactive` to the units of sockets that are not active, without those that need not be.
program_sockets_listen() {
  inactive=
  units=$(program_units)
  [ -n "$units" ] || return 0
  states=$(systemctl is-active $units 9<&-)
  set -- $states
  for unit in $units; do
    case "${1:-}: $INACTIVE_SOCKETS " in
      *:*" $unit "*) ;;
      active:*) is_socket "$unit" || inactive="$inactive$unit " ;;
      *) inactive="$inactive$unit " ;;
    esac
    [ $# -eq 0 ] || shift
  done
  [ -z "$inactive" ]
}

# Stops the units of sockets that are no longer wanted or have lost their file, or all if their template changes. While there is one, the
# directory stays the one that containers may have mounted.
drop_program_sockets() {
  dropped=
  for unit in $(systemctl list-units --plain --no-legend --type=socket 'docker-tls-role@*' 9<&- | cut -d ' ' -f 1); do
    if [ ! -e "$T/docker-tls-role@.socket-changed" ] && [ -L "$UNITS/sockets.target.wants/$unit" ] && is_socket "$unit"; then continue; fi
    dropped="$dropped$unit "
  done
  if [ -n "$dropped" ]; then
    # systemd 262 stops none of a call where it does not know one.
    service stop $dropped 2>/dev/null || for unit in $dropped; do service stop "$unit" 2>/dev/null; done
    systemctl reset-failed $dropped 2>/dev/null 9<&-
  fi
  # Root deletes nothing where a link leads.
  [ ! -L "$RUN/docker-tls" ] || return 0
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

# One that cannot listen fails a change, unless it was inactive before and the change does not concern it. It keeps nothing else from
# starting at a boot, and in a rollback: it may not have listened before.
start_listener() {
  [ ! -e "$UNITS/$TLS_SOCKET" ] || service start "$TLS_SOCKET" || return 1
  units=$(program_units)
  # systemd 262 starts none of a call where one is masked.
  [ -z "$units" ] || service start $units || for unit in $units; do service start "$unit" 2>/dev/null; done
  # systemctl does not report an unmet condition as a failure.
  if ! program_sockets_listen; then
    if [ "$BACK" = no ]; then
      printf 'not active: %s\n' "${inactive% }" >&2
      [ ! -L "$RUN/docker-tls" ] || printf '%s is a symbolic link\n' "$RUN/docker-tls" >&2
      return 1
    fi
    case $REMARK in
      *"${inactive% }"*) ;;
      *)
        REMARK="${REMARK:+$REMARK; }not active: ${inactive% }"
        note "$REMARK"
        ;;
    esac
  fi
  service start "$LISTENER"
}
