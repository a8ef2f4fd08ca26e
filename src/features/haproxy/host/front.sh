# The service that accepts TLS clients in front of the daemon, on hosts where the daemon does not do so itself.
# Needs functions: await drop_program_sockets drop_socket find_ports hold_port look_at_service main_pid
# Needs functions: program_sockets_listen program_units release_port reread service start_listener units_unread
# Needs variables: BACK DAEMON LISTENER LISTENER_CUT RUN T TAB TLS_SOCKET UNITS pid ports
# Needs programs: cat cut grep rm sh sleep systemctl

# Brings the service in line with the files in place: stopped if it has no unit file, reloaded if only its configuration or certificates
# changed, else started again. The same for a change and its rollback.
apply_listener() {
  STEP=listener
  if [ "$DAEMON" = none ]; then
    look_at_service
    if units_unread; then reread || return 1; fi
  fi
  if [ ! -e "$UNITS/$LISTENER" ]; then
    stop_listener
    drop_program_sockets
    drop_socket
    return 0
  fi
  # The daemon's restart has moved the socket, and a connection may have started this service since: no socket starts beside it.
  if [ "$DAEMON" = restart ] && [ -e "$T/$TLS_SOCKET-changed" ]; then
    drop_program_sockets
    program_sockets_listen || {
      drain_listener
      service stop "$LISTENER" 2>/dev/null
    }
    start_listener
    return
  fi
  if [ ! -e "$T/$TLS_SOCKET-changed" ] && [ ! -e "$T/docker-tls-role@.socket-changed" ] && ! grep -q "$TAB$UNITS/$LISTENER\$" "$T/manifest" &&
    program_sockets_listen && main_pid "$LISTENER"; then
    reload_listener
    return
  fi
  systemctl reset-failed "$LISTENER" "$TLS_SOCKET" 2>/dev/null
  if [ ! -e "$T/$TLS_SOCKET-changed" ]; then
    drain_listener
    drop_program_sockets
    drop_socket
    service stop "$LISTENER" 2>/dev/null
    start_listener
    return
  fi
  find_ports
  hold_port "$ports"
  drain_listener
  drop_program_sockets
  drop_socket
  # In one call: a client of a socket that stays starts the service whenever it does not run, also while there is no port.
  if [ -e "$UNITS/$TLS_SOCKET" ]; then service restart "$TLS_SOCKET" "$LISTENER"; else service restart "$LISTENER"; fi
  start_listener
  started=$?
  release_port
  return "$started"
}

# Requests in progress end within a second, and new ones wait in the sockets that stay. Streams end with SIGTERM: systemd sends none to a
# service that says that it is stopping.
drain_listener() {
  main_pid "$LISTENER" && kill -s USR1 "$pid" || return 0
  tries=0
  while [ "$tries" -lt 20 ]; do
    kill -0 "$pid" 2>/dev/null || return 0
    tries=$((tries + 1))
    sleep 0.05
  done
  kill -s TERM "$pid" 2>/dev/null
}

# A reload starts a new worker beside the old one, which serves its open connections to their end.
reload_listener() {
  workers=" $(cat "/proc/$pid/task/$pid/children") "
  kill -s USR2 "$pid" && await has_new_worker "$pid" || return 1
  # What a change has allowed meanwhile ends with it.
  if [ "$BACK" = yes ]; then
    kill -s TERM $workers 2>/dev/null
  elif [ -n "$LISTENER_CUT" ]; then
    MASTER=$RUN/${LISTENER%.service}/$pid.sock WORKERS=$workers sh -c "$LISTENER_CUT" 9<&-
  fi
  return 0
}

# In this order: the service counts as reloading from before the start of the new worker until that is ready.
has_new_worker() {
  new=
  for worker in $(cat "/proc/$1/task/$1/children"); do
    case $workers in *" $worker "*) ;; *) new=$worker ;; esac
  done
  [ -n "$new" ] || return 1
  case $(systemctl show -p ActiveState -p StatusText -- "$LISTENER" 9<&-) in
    *ailed*) return 1 ;;
    *ActiveState=active*) return 0 ;;
  esac
  return 1
}

# It keeps the port, and systemd forgets that it needs the socket once its unit file is gone. systemd forgets the directory of a unit whose
# file is gone, and keeps its failure.
stop_listener() {
  service stop "$LISTENER" 2>/dev/null
  [ ! -e "$UNITS/$LISTENER" ] || return 0
  systemctl reset-failed "$LISTENER" 2>/dev/null
  rm -rf -- "${RUN:?}/${LISTENER%.service}" "$RUN/docker-tls"
}

units_listener() { printf '%s ' "$LISTENER" && program_units; }

# The files are restored, and the daemon has not started yet.
boot_listener() {
  # The boot has scheduled the start of a socket for programs on the host that is undone.
  for unit in $(systemctl list-units --all --plain --no-legend --type=socket 'docker-tls-role@*' 9<&- | cut -d ' ' -f 1); do
    [ -L "$UNITS/sockets.target.wants/$unit" ] || systemctl --no-block stop "$unit" 9<&-
  done
  # A boot without its unit has not scheduled its start: its socket alone would start it with the first connection.
  if [ -e "$UNITS/$LISTENER" ]; then systemctl --no-block start "$LISTENER" 9<&-; fi
}
