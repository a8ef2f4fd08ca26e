# The daemon with systemd: state, start, stop and reload.
# Needs functions: active await_answer end_unneeded_protection find_ports hold_port mark note_dependents note_started of_parts release_port
# Needs functions: reset_failed start_dependents stop_pulled
# Needs variables: BACK LIMIT LOCAL_SOCKET SERVICE SOCKET SOCKET_WAS_ACTIVE T TLS_SOCKET UNITS docker_unit ports socket_unit
# Needs programs: journalctl sleep systemctl timeout

# Option for a user's systemd (rootless/manager.sh); empty: the host's.
WHOSE=

start_service() { service start "$SERVICE" && await_answer; }

# Prints the daemon's log since a time: last_words SECONDS
last_words() {
  # Each by its name: for a pattern, journalctl reads the names of all units in the whole log.
  for unit in $(of_parts units); do set -- "$@" -u "$unit"; done
  since=$1
  shift
  timeout 10 journalctl $WHOSE -u "$SERVICE" -u "$TLS_SOCKET" "$@" --since "@$since" -n 400 --no-pager -o cat 2>/dev/null
}

# Restarts the daemon with the current unit files (`stop`: stops it), and moves our socket unit to the address in its file. A socket unit
# cannot start while its service is active, hence stop, start, start. The local socket stays up throughout.
restart_docker() {
  want=inactive
  [ -e "$UNITS/$TLS_SOCKET" ] && want=active
  is=inactive
  active "$socket_unit" && is=active
  if [ "$1" = stop ]; then
    reset_failed
    set -- "$SERVICE" "$TLS_SOCKET"
    # The local socket started with the daemon: the daemon requires it.
    if socket_stops; then set -- "$@" "$LOCAL_SOCKET"; fi
    # systemd does not know a failed docker-tls unit without a file, and systemd 262 then stops none of that call.
    service stop "$@" 2>/dev/null || for name in "$@"; do service stop "$name" 2>/dev/null; done
    stop_pulled
    # The change that is rolled back has stopped it.
    if [ "$BACK" = yes ] && [ "$SOCKET_WAS_ACTIVE" = yes ] && [ -n "$LOCAL_SOCKET" ]; then service start "$LOCAL_SOCKET" || return 1; fi
    return 0
  fi
  mark stopped
  # In parallel: systemd and the firewall are slow, and independent of each other.
  reset_failed &
  reset=$!
  note_dependents
  if [ "$is" = active ] && [ "$want" = active ] && active "$docker_unit"; then
    find_ports
    hold_port "$ports"
  fi
  # Without dependencies: otherwise systemd would also stop units that require the daemon (Requires=, PartOf=), as with
  # `docker compose down`, and their containers.
  set -- "$SERVICE"
  # Active, it would block the start of the socket. Nothing starts it while the socket is down. systemd 262 stops neither if it does not
  # know one.
  if [ "$is" = inactive ] && [ -e "$UNITS/docker-tls-closed.service" ]; then set -- "$@" docker-tls-closed.service; fi
  if service --job-mode=ignore-dependencies stop "$@" 2>/dev/null; then
    end_unneeded_protection
  elif [ $# = 2 ]; then
    service --job-mode=ignore-dependencies stop "$SERVICE" 2>/dev/null
  fi
  wait "$reset"
  start_docker && start_dependents
  started=$?
  # Also if the daemon was never started.
  release_port
  return "$started"
}

# systemd holds the port: release connections while the daemon starts, so that the daemon answers them. Prints `@open` for a waiting run.
start_held() {
  {
    # Where nothing held the port, a connection before systemd begins to start the daemon would start docker-tls-closed.service.
    if [ -e "$T/held" ]; then release_port; else sleep 0.05; fi
    [ "$want:$BACK" != active:no ] || printf '@open\n' 2>/dev/null
    note_started 2>/dev/null
  } &
  release=$!
  # systemctl does not report an unmet condition as a failure.
  start_service
  started=$?
  wait "$release"
  return "$started"
}

# Was the local socket down too before the change that is rolled back, or before the first change?
socket_stops() {
  [ -n "$LOCAL_SOCKET" ] || return 1
  if [ "$BACK" = yes ]; then [ "$SOCKET_WAS_ACTIVE" = no ]; else [ "$SOCKET" = stop ]; fi
}

start_docker() {
  if [ "$want" = "$is" ] && [ ! -e "$T/$TLS_SOCKET-changed" ]; then
    start_held
    return
  fi
  of_parts stop
  if [ "$is" = active ]; then
    service stop "$TLS_SOCKET" 2>/dev/null
    # A connection may have started it in the meantime.
    service stop docker-tls-closed.service 2>/dev/null
  fi
  if [ "$want" = active ]; then
    # A local client may have started the daemon in between; that pulled in our socket, and this does nothing.
    service start "$TLS_SOCKET" || return 1
  fi
  start_held
}

# Its file disappeared while the daemon kept running.
drop_socket() { [ -e "$UNITS/$TLS_SOCKET" ] || service stop "$TLS_SOCKET" 2>/dev/null; }

# Some units wait for their daemon without limit (TimeoutStartSec=0). Started services do not inherit the mutex.
service() { timeout "$LIMIT" systemctl $WHOSE "$@" 9<&-; }
