# Unit files: systemd's view of them, whether it can read them, and whether the daemon would start with them.
# Needs functions: born local_socket missing_programs same_daemon service
# Needs variables: BACK KNOWN NL SERVICE T TLS_SOCKET birth missing socket
# Needs programs: mount sed systemctl

# Properties that make a unit stop with another one.
NEEDED_BY='-p RequiredBy -p RequisiteOf -p BoundBy -p ConsistsOf -p PropagatesStopTo'

# Reads the state of both units in one call: each call to systemd costs more than the rest of a step. look_at_service [FILE], with an
# earlier answer.
look_at_service() {
  shown=
  if [ -s "${1:-}" ]; then while IFS= read -r line; do shown=$shown$line$NL; done <"$1"; fi
  [ -n "$shown" ] || shown=$(systemctl show "$SERVICE" "$TLS_SOCKET" -p Id -p ActiveState -p MainPID -p Listen -p NeedDaemonReload $NEEDED_BY 2>/dev/null)
  docker_unit=$NL${shown%%"$NL$NL"*}$NL
  socket_unit=$NL${shown#*"$NL$NL"}$NL
}

# active UNIT, as shown by look_at_service
active() {
  case $1 in *"${NL}ActiveState=active$NL"* | *"${NL}ActiveState=reloading$NL"*) return 0 ;; esac
  return 1
}

runs() { if [ "$KNOWN" = yes ]; then active "$docker_unit"; else systemctl -q is-active "$SERVICE"; fi; }

# Sets `pid` to a service that is active and no longer starting (a SIGHUP would kill it during start): main_pid UNIT
main_pid() {
  unit=$NL$(systemctl show -p ActiveState -p MainPID -- "$1" 9<&-)$NL
  read_pid
}

# Same, from the text in `unit`.
read_pid() {
  active "$unit" || return 1
  pid=${unit#*"${NL}MainPID="} && pid=${pid%%"$NL"*}
  [ "${pid:-0}" -gt 1 ]
}

# Same, for the daemon.
find_daemon() {
  if [ "$KNOWN" = yes ]; then
    unit=$docker_unit
    read_pid
  else
    same_daemon || main_pid "$SERVICE"
  fi
}

# Records the process of a service that systemd starts, and its socket: asking afterwards would take as long as the daemon's answer.
note_started() {
  pid=$(service show -p MainPID --value -- "$SERVICE") && born "$pid" && local_socket "$pid" &&
    printf '%s %s %s\n' "$pid" "$birth" "$socket" >"$T/started"
}

# Sets `ports` to the ports of our socket unit, without duplicates.
find_ports() {
  ports=
  IFS=$NL
  for line in $socket_unit; do
    case $line in Listen=*:*' (Stream)') port=${line##*:} && port=${port%' (Stream)'} ;; *) continue ;; esac
    case $port:$NL$ports in '':* | *[!0-9]*:*) ;; *"$NL$port$NL"*) ;; *) ports=$ports$port$NL ;; esac
  done
  unset IFS
}

# A reload of all unit files takes systemd 0.1 s: only if docker-tls changed a unit, or systemd has not read another program's change.
units_unread() {
  case $docker_unit$socket_unit in *"${NL}NeedDaemonReload=yes$NL"*) ;; *) [ -e "$T/units-changed" ] ;; esac
}

# During a rollback, reload even if less than 16 MiB are free on /run, where systemd refuses: /run may grow for that moment.
reread() {
  systemctl daemon-reload 9<&- && return 0
  [ "$BACK" = yes ] || return 1
  size=$(sed -n 's/^[^ ]* \/run tmpfs \([^ ]*,\)\{0,1\}size=\([0-9]*\)k[, ].*$/\2/p' /proc/mounts)
  [ -n "$size" ] && mount -o "remount,size=$((size + 32768))k" /run || return 1
  systemctl daemon-reload 9<&-
  reread=$?
  mount -o "remount,size=${size}k" /run
  return "$reread"
}

# Sets `why` to the reason why the daemon would not start with the current files, as far as known before it stops; empty: none.
obstacle() {
  if units_unread; then
    refusal=$(reread 2>&1) || {
      why="systemd cannot read the unit files: $refusal"
      return
    }
  fi
  missing_programs
  why=$missing
}
