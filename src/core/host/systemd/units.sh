# Unit files: what systemd has of them, whether it can read them, and whether the daemon would start on them.
# Needs functions: missing_programs same_daemon
# Needs variables: BACK KNOWN NL SERVICE T TLS_SOCKET missing
# Needs programs: mount sed systemctl

# By these a unit stops with another one.
NEEDED_BY='-p RequiredBy -p RequisiteOf -p BoundBy -p ConsistsOf -p PropagatesStopTo'

# What systemd has of the two units, asked once: every question to it costs more than the rest of a step. look_at_service [FILE], where it was
# asked for already.
look_at_service() {
  shown=
  if [ -s "${1:-}" ]; then while IFS= read -r line; do shown=$shown$line$NL; done <"$1"; fi
  [ -n "$shown" ] || shown=$(systemctl show "$SERVICE" "$TLS_SOCKET" -p Id -p ActiveState -p MainPID -p Listen -p NeedDaemonReload $NEEDED_BY 2>/dev/null)
  docker_unit=$NL${shown%%"$NL$NL"*}$NL
  socket_unit=$NL${shown#*"$NL$NL"}$NL
}

# active UNIT, as look_at_service has it
active() {
  case $1 in *"${NL}ActiveState=active$NL"* | *"${NL}ActiveState=reloading$NL"*) return 0 ;; esac
  return 1
}

runs() { if [ "$KNOWN" = yes ]; then active "$docker_unit"; else systemctl -q is-active "$SERVICE"; fi; }

# Sets `pid` to the number of a service that runs, and is not still starting (it would die of a SIGHUP then): main_pid UNIT
main_pid() {
  unit=$NL$(systemctl show -p ActiveState -p MainPID -- "$1" 9<&-)$NL
  read_pid
}

# The same of what systemd has shown of a `unit`.
read_pid() {
  active "$unit" || return 1
  pid=${unit#*"${NL}MainPID="} && pid=${pid%%"$NL"*}
  [ "${pid:-0}" -gt 1 ]
}

# The daemon's, in the same way.
find_daemon() {
  if [ "$KNOWN" = yes ]; then
    unit=$docker_unit
    read_pid
  else
    same_daemon || main_pid "$SERVICE"
  fi
}

# systemd reads all its unit files anew, which takes it 0.1 s: only where ours changed, or those of another program that it has not read yet.
units_unread() {
  case $docker_unit$socket_unit in *"${NL}NeedDaemonReload=yes$NL"*) ;; *) [ -e "$T/units-changed" ] ;; esac
}

# Going back, it does so also where less than 16 MiB are free on /run, which systemd refuses by itself: /run may hold more for that moment.
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

# Sets `why` the daemon would not start on what is there now, as far as that is known before it is stopped; nothing: it would.
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
