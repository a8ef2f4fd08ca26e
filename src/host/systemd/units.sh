# Unit files: what systemd has of them, whether it can read them, and whether the daemon would start on them.
# Needs functions: missing_programs
# Needs variables: BACK NL SERVICE T TLS_SOCKET
# Needs programs: mount sed systemctl

# By these a unit stops with another one.
NEEDED_BY='-p RequiredBy -p RequisiteOf -p BoundBy -p ConsistsOf -p PropagatesStopTo'

# What systemd has of the two units, asked once: every question to it costs more than the rest of a step.
look_at_service() {
  shown=$(systemctl show "$SERVICE" "$TLS_SOCKET" -p Id -p ActiveState -p Listen -p NeedDaemonReload $NEEDED_BY 2>/dev/null)
  docker_unit=$NL${shown%%"$NL$NL"*}$NL
  socket_unit=$NL${shown#*"$NL$NL"}$NL
}

# active UNIT, as look_at_service has it
active() {
  case $1 in *"${NL}ActiveState=active$NL"* | *"${NL}ActiveState=reloading$NL"*) return 0 ;; esac
  return 1
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

# Why the daemon would not start on what is there now, as far as that is known before it is stopped; nothing: it would.
obstacle() {
  if units_unread; then
    refusal=$(reread 2>&1) || {
      printf 'systemd cannot read the unit files: %s' "$refusal"
      return
    }
  fi
  missing_programs
}
