# Timer and boot unit of a change, with systemd.
# Needs functions: delete_lifted_limits of_parts reread
# Needs variables: LOCAL_SOCKET SERVICE TLS_SOCKET TXN UNITS
# Needs programs: systemctl

# systemd has taken the job when systemctl ends.
stop_timer() {
  systemctl --no-block stop "docker-tls-undo-$TXN.timer" 2>/dev/null
  return 0
}

# What systemd has loaded for the change alone: the recovery unit, during a reload or boot, and with it the lifted limits.
forget_recovery() {
  if delete_lifted_limits || [ "$(systemctl show docker-tls-recover.service -p LoadState 2>/dev/null)" != LoadState=not-found ]; then
    reread 2>/dev/null
  fi
}

# The files are restored, and the daemon has not started yet.
read_at_boot() {
  reread
  failed=$?
  # A boot without our socket unit has not scheduled its start. It starts before the daemon: that waits for the recovery.
  if [ -e "$UNITS/$TLS_SOCKET" ]; then systemctl --no-block start "$TLS_SOCKET" 9<&-; fi
  of_parts boot
  # The same holds for the service of docker-tls: it has no local socket.
  if [ -z "$LOCAL_SOCKET" ] && [ -e "$UNITS/$SERVICE" ]; then systemctl --no-block start "$SERVICE" 9<&-; fi
  return "$failed"
}
