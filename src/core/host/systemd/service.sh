# The daemon and sshd as systemd's services: what runs, and how they are started, stopped and reloaded.
# Needs functions: active await_answer hold_port main_pid mark note_dependents release_port start_dependents stop_pulled
# Needs variables: BACK LIMIT LOCAL_SOCKET NL SERVICE SOCKET SOCKET_WAS_ACTIVE T TLS_SOCKET UNITS docker_unit pid socket_unit
# Needs programs: journalctl sleep systemctl timeout

# The option for the systemd of a user (rootless/manager.sh); none: the host's.
WHOSE=

start_service() { service start "$SERVICE" && await_answer; }

# What the daemon has logged since a time: last_words SECONDS
last_words() {
  timeout 10 journalctl $WHOSE -u "$SERVICE" -u "$TLS_SOCKET" --since "@$1" -n 400 --no-pager -o cat 2>/dev/null
}

# Not part of the transaction in one thing: sessions that are open keep what they began with.
reload_sshd() {
  failed=0
  for name in ssh sshd; do
    systemctl -q is-active "$name.service" || continue
    printf '%s\n' "$name" >"$T/sshd"
    # An sshd that got its port from a socket unit cannot open it again when it reads its configuration anew (it ends with "Cannot bind
    # any address"). systemd holds the port for it, so starting it anew refuses no login, and sessions live on (KillMode=process).
    if systemctl -q is-active "$name.socket"; then
      systemctl restart "$name.service" || {
        failed=1
        STEP=restart-sshd
      }
    else
      { main_pid "$name.service" && kill -s HUP "$pid"; } || {
        failed=1
        STEP=reload-sshd
      }
    fi
    # sshd closes its port for a moment while it reads its configuration again; the verification comes over a new connection.
    sleep 0.5
    systemctl -q is-active "$name.service" || {
      failed=1
      STEP=reload-sshd
    }
    break
  done
  # One that did not survive a change is started by its rollback.
  { [ "$BACK" = yes ] && read -r name 2>/dev/null <"$T/sshd" && ! systemctl -q is-active "$name.service"; } || return "$failed"
  systemctl reset-failed "$name.service"
  systemctl start "$name.service"
}

# Restarts the daemon on the unit files that are now in place (or, with `stop`, stops it), and brings our socket unit to where they say.
# A socket unit does not start while its service is active, hence stop, start, start; the local socket stays up throughout.
restart_docker() {
  want=inactive
  [ -e "$UNITS/$TLS_SOCKET" ] && want=active
  is=inactive
  active "$socket_unit" && is=active
  if [ "$1" = stop ]; then
    reset_failed
    set -- "$SERVICE" "$TLS_SOCKET"
    # It started with the daemon, which needs it.
    if socket_stops; then set -- "$@" "$LOCAL_SOCKET"; fi
    # A unit of ours that has failed, and whose file is gone, is unknown: systemd 262 then stops none of those that it is asked for together.
    service stop "$@" 2>/dev/null || for name in "$@"; do service stop "$name" 2>/dev/null; done
    stop_pulled
    # The change that is rolled back has stopped it.
    if [ "$BACK" = yes ] && [ "$SOCKET_WAS_ACTIVE" = yes ] && [ -n "$LOCAL_SOCKET" ]; then service start "$LOCAL_SOCKET" || return 1; fi
    return 0
  fi
  mark stopped
  # Both take systemd and the firewall a while, and neither needs the other.
  reset_failed &
  reset=$!
  note_dependents
  if [ "$is" = active ] && [ "$want" = active ] && active "$docker_unit"; then
    find_ports
    hold_port "$ports"
  fi
  # Alone: what needs the daemon (Requires=, PartOf=) would be stopped with it, as by `docker compose down`, and with it its containers.
  service --job-mode=ignore-dependencies stop "$SERVICE" 2>/dev/null
  wait "$reset"
  start_docker && start_dependents
  started=$?
  # Also where it came to no start.
  release_port
  return "$started"
}

# systemd holds the port: connections are let go while the daemon starts, which then answers them. Who waits for that hears of it.
start_held() {
  {
    release_port
    [ "$want:$BACK" != active:no ] || printf '@open\n' 2>/dev/null
  } &
  release=$!
  # A condition that is not met is no failure to systemctl.
  start_service
  started=$?
  wait "$release"
  return "$started"
}

# systemd starts a unit only so often.
reset_failed() { systemctl reset-failed "$SERVICE" "$TLS_SOCKET" $LOCAL_SOCKET 2>/dev/null 9<&- || :; }

# Sets `ports` to those that our socket unit holds, each once.
find_ports() {
  ports=
  IFS=$NL
  for line in $socket_unit; do
    case $line in Listen=*:*' (Stream)') port=${line##*:} && port=${port%' (Stream)'} ;; *) continue ;; esac
    case $port:$NL$ports in '':* | *[!0-9]*:*) ;; *"$NL$port$NL"*) ;; *) ports=$ports$port$NL ;; esac
  done
  unset IFS
}

# Whether the local socket was down as well, before the change that is rolled back or before the first one of all.
socket_stops() {
  [ -n "$LOCAL_SOCKET" ] || return 1
  if [ "$BACK" = yes ]; then [ "$SOCKET_WAS_ACTIVE" = no ]; else [ "$SOCKET" = stop ]; fi
}

start_docker() {
  if [ "$want" = "$is" ] && [ ! -e "$T/socket-changed" ]; then
    start_held
    return
  fi
  [ "$is" = active ] && service stop "$TLS_SOCKET" 2>/dev/null
  # A connection may have started it meanwhile, and the socket does not start beside it.
  service stop docker-tls-closed.service 2>/dev/null
  if [ "$want" = active ]; then
    # A local client may have woken the daemon in between; it then has pulled our socket in by itself, and this is nothing to do.
    service start "$TLS_SOCKET" || return 1
  fi
  start_held
}

# Its file went while the daemon ran on.
drop_socket() { [ -e "$UNITS/$TLS_SOCKET" ] || service stop "$TLS_SOCKET" 2>/dev/null; }

# Some units wait for their daemon without end (TimeoutStartSec=0). The mutex is not for those that we start.
service() { timeout "$LIMIT" systemctl $WHOSE "$@" 9<&-; }
