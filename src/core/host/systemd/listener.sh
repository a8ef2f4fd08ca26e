# The service that accepts TLS clients in front of the daemon, on hosts where the daemon does not do so itself.
# Needs functions: await drop_socket find_ports hold_port look_at_service main_pid release_port reread service units_unread
# Needs variables: BACK DAEMON LISTENER LISTENER_CUT RUN T TAB TLS_SOCKET UNITS pid ports
# Needs programs: cat cut grep rm rmdir sh sleep systemctl

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
  # The daemon's restart has moved the socket, and a connection may have started this service since.
  if [ "$DAEMON" != none ] && [ -e "$T/socket-changed" ]; then
    drop_program_sockets
    service start "$LISTENER"
    return
  fi
  if [ ! -e "$T/socket-changed" ] && [ ! -e "$T/role-sockets-changed" ] && ! grep -q "$TAB$UNITS/$LISTENER\$" "$T/manifest" &&
    main_pid "$LISTENER"; then
    reload_listener
    return
  fi
  if [ -e "$T/socket-changed" ]; then
    find_ports
    hold_port "$ports"
  fi
  systemctl reset-failed "$LISTENER" "$TLS_SOCKET" 2>/dev/null
  drain_listener
  stop_listener
  drop_program_sockets
  if [ -e "$T/socket-changed" ]; then service stop "$TLS_SOCKET" 2>/dev/null; fi
  drop_socket
  # It requires its sockets. A client of one that stays may have started it by now, with all of them.
  { [ ! -e "$UNITS/$TLS_SOCKET" ] || service start "$TLS_SOCKET"; } && service start "$LISTENER"
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

# Stops the units of sockets for programs on the host that are no longer wanted, or all if their template changes. While there is one, the
# directory stays the one that containers may have mounted.
drop_program_sockets() {
  for unit in $(systemctl list-units --plain --no-legend --type=socket 'docker-tls-role@*' 9<&- | cut -d ' ' -f 1); do
    if [ ! -e "$T/role-sockets-changed" ] && [ -L "$UNITS/sockets.target.wants/$unit" ]; then continue; fi
    service stop "$unit" 2>/dev/null
    systemctl reset-failed "$unit" 2>/dev/null
    # systemd no longer knows that it has to remove the socket, if the template is gone.
    name=${unit#docker-tls-role@}
    rm -f -- "${RUN:?}/docker-tls/${name%.socket}.sock"
  done
  for link in "$UNITS/sockets.target.wants/docker-tls-role@"*.socket; do [ -L "$link" ] || rmdir -- "$RUN/docker-tls" 2>/dev/null; done
}

# systemd forgets the directory of a unit whose file is gone, and keeps its failure.
stop_listener() {
  [ -n "$LISTENER" ] || return 0
  service stop "$LISTENER" 2>/dev/null
  [ ! -e "$UNITS/$LISTENER" ] || return 0
  systemctl reset-failed "$LISTENER" 2>/dev/null
  rm -rf -- "${RUN:?}/${LISTENER%.service}" "$RUN/docker-tls"
}

# A reload starts a new worker beside the old one, which serves its open connections to their end.
reload_listener() {
  workers=" $(cat "/proc/$pid/task/$pid/children") "
  kill -s USR2 "$pid" && await has_new_worker "$pid" || return 1
  # What a change has allowed meanwhile ends with it.
  if [ "$BACK" = yes ]; then
    kill -s TERM $workers 2>/dev/null
  elif [ -n "$LISTENER_CUT" ]; then
    WORKERS=$workers sh -c "$LISTENER_CUT" 9<&-
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
