# The ends of a change that come by themselves, by systemd: a timer, and a unit for the next boot.
# Needs functions: reread
# Needs variables: LOCAL_SOCKET SERVICE TLS_SOCKET TXN UNITS
# Needs programs: systemctl

stop_timer() {
  systemctl stop "docker-tls-undo-$TXN.timer" 2>/dev/null
  return 0
}

# Where systemd has read the recovery unit with others (a change of unit files, a boot), it has to forget it.
forget_recovery() {
  [ "$(systemctl show docker-tls-recover.service -p LoadState 2>/dev/null)" = LoadState=not-found ] || reread 2>/dev/null
}

# The files are back, and the daemon has not started yet.
read_at_boot() {
  reread
  failed=$?
  # A boot that found no unit for our port has not planned its start. It comes before the daemon's, which waits for us.
  if [ -e "$UNITS/$TLS_SOCKET" ]; then systemctl --no-block start "$TLS_SOCKET" 9<&-; fi
  # The same holds for a service of ours, which is one without a local socket.
  if [ -z "$LOCAL_SOCKET" ] && [ -e "$UNITS/$SERVICE" ]; then systemctl --no-block start "$SERVICE" 9<&-; fi
  return "$failed"
}
