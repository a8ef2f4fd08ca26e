# Services on the files that now lie there: docker.service restarted, reloaded or left, sshd reloaded, audit rules loaded.
# Needs functions: active hold_port hup is_up load_audit_rules look_at_units mark note note_dependents obstacle
# Needs functions: release_port reload_docker start_dependents
# Needs variables: AUDIT BACK DAEMON DAEMON_JSON LIMIT LIVE_RESTORE SOCKET SOCKET_WAS_ACTIVE SSHD T UNITS socket_unit
# Needs programs: sleep systemctl timeout

# Makes the services take in the files that now lie there, and brings the daemon to where it has to be: apply_services start|stop
apply_services() {
  bad=0
  if [ "$DAEMON" != none ]; then apply_daemon "$1" || bad=1; fi
  if [ "$SSHD" = reload ]; then reload_sshd || bad=1; fi
  if [ "$AUDIT" = load ]; then load_audit_rules; fi
  return "$bad"
}

# Not part of the transaction in one thing: sessions that are open keep what they began with.
reload_sshd() {
  failed=0
  for name in ssh sshd; do
    systemctl -q is-active "$name.service" || continue
    # An sshd that got its port from a socket unit cannot open it again when it reads its configuration anew (it ends with "Cannot bind
    # any address"). systemd holds the port for it, so starting it anew refuses nobody, and sessions live on (KillMode=process).
    if systemctl -q is-active "$name.socket"; then
      systemctl restart "$name.service" || {
        failed=1
        STEP=restart-sshd
      }
    else
      hup "$name.service" || {
        failed=1
        STEP=reload-sshd
      }
    fi
    break
  done
  # sshd closes its port for a moment while it reads its configuration again; the verification comes over a new connection.
  sleep 0.5
  return "$failed"
}

apply_daemon() {
  look_at_units
  why=$(obstacle)
  if [ "$BACK" = no ] && [ -n "$why" ]; then
    printf 'dockerd would not start again: %s\n' "${why%; }" >&2
    STEP=check
    return 1
  fi
  case $DAEMON in
    reload)
      if [ "$BACK" = yes ] && ! is_up; then service start docker.service; else reload_docker reloaded; fi
      ;;
    restart | stop)
      if [ "$BACK" = yes ] && [ "$1" = start ] && is_up; then
        # It still runs as it did before the change.
        [ -e "$T/stopped" ] || return 0
        if [ -n "$why" ]; then
          leave_running "$why"
          return 0
        fi
      fi
      restart_docker "$1" && return 0
      [ "$BACK" = yes ] && [ -n "$why" ] || return 1
      leave_down "$why"
      ;;
  esac
}

# It can neither be stopped nor started: what is back comes into force some other day.
leave_running() {
  REMARK="docker.service could not start again (${1%; }), so it was left running, with the settings of the change that was rolled back: put that right, then: systemctl daemon-reload && systemctl restart docker.service"
  note "$REMARK"
}

# It was down already, and what it needs for a start is gone: no rollback can bring that back.
leave_down() {
  LEFT_DOWN=yes
  REMARK="docker.service is down and cannot start (${1%; }): put that right, then: systemctl restart docker.service"
  [ "$LIVE_RESTORE" != temporary ] || REMARK="$REMARK; containers that still run stop with that, unless $DAEMON_JSON has \"live-restore\": true by then"
  note "$REMARK"
}

# Restarts docker.service on the unit files that now lie there (or, with `stop`, stops it), and brings our socket unit to where they say.
# A socket unit does not start while its service is active, hence stop, start, start; docker.socket stays up throughout.
restart_docker() {
  want=inactive
  [ -e "$UNITS/docker-tls.socket" ] && want=active
  is=inactive
  active "$socket_unit" && is=active
  systemctl reset-failed docker.service docker-tls.socket docker.socket 2>/dev/null
  if [ "$1" = stop ]; then
    set -- docker.service docker-tls.socket
    # It started with the daemon, which needs it.
    if socket_stops; then set -- "$@" docker.socket; fi
    service stop "$@" 2>/dev/null
    return 0
  fi
  mark stopped
  note_dependents
  if [ "$is" = active ] && [ "$want" = active ]; then hold_port; fi
  # Alone: what needs the daemon (Requires=, PartOf=) would be stopped with it, as by `docker compose down`, and with it its containers.
  service --job-mode=ignore-dependencies stop docker.service 2>/dev/null
  release_port
  start_docker && start_dependents
}

socket_stops() {
  if [ "$BACK" = yes ]; then [ "$SOCKET_WAS_ACTIVE" = no ]; else [ "$SOCKET" = stop ]; fi
}

start_docker() {
  if [ "$want" = "$is" ] && [ ! -e "$T/socket-changed" ]; then
    # A condition that is not met is no failure to systemctl.
    service start docker.service && is_up
    return
  fi
  [ "$is" = active ] && service stop docker-tls.socket 2>/dev/null
  if [ "$want" = active ]; then
    # A local client may have woken the daemon in between; it then has pulled our socket in by itself.
    systemctl -q is-active docker-tls.socket || service start docker-tls.socket || return 1
  fi
  service start docker.service && is_up
}

# Some units wait for their daemon without end (TimeoutStartSec=0). The mutex is not for those that we start.
service() { timeout "$LIMIT" systemctl "$@" 9<&-; }
