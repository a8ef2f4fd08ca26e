# Services after a switch of files: the daemon is restarted, reloaded or left; those of parts get their files.
# Needs functions: apply_part await_protection keeps_containers lift_start_limits look_at_service note obstacle reload_docker restart_docker
# Needs functions: runs start_service
# Needs variables: BACK DAEMON DAEMON_JSON LIVE_RESTORE NEEDS PARTS RESTART_COMMAND SERVICE T why

# Applies the files in place to the services, and starts or stops the daemon: apply_services start|stop
apply_services() {
  bad=0
  if [ "$DAEMON" != none ]; then apply_daemon "$1" || bad=1; fi
  for part in $PARTS; do
    # A failed change stops at the first error.
    [ "$bad$BACK" != 1no ] || return 1
    apply_part "$part" || bad=1
  done
  return "$bad"
}

apply_daemon() {
  [ "$KNOWN" = yes ] || look_at_service
  KNOWN=no
  lift_start_limits
  obstacle
  if [ "$BACK" = no ] && [ -n "$why" ]; then
    printf 'dockerd would not start again: %s\n' "${why%; }" >&2
    STEP=check
    return 1
  fi
  await_protection || return 1
  case $DAEMON in
    reload)
      if [ "$BACK" = yes ] && ! runs; then start_service; else reload_docker reloaded; fi
      ;;
    restart | stop)
      if [ "$BACK" = yes ] && [ "$1" = start ] && runs; then
        # The daemon still runs as before the change.
        [ -e "$T/stopped" ] || return 0
        if [ -n "$why" ]; then
          leave_running "$why"
          return 0
        fi
      fi
      if restart_docker "$1"; then
        [ "$BACK" = yes ] || keeps_containers
        return
      fi
      [ "$BACK" = yes ] && [ -n "$why" ] || return 1
      leave_down "$why"
      ;;
  esac
}

# The daemon could not start again, so it stays up; the restored settings apply at its next start.
leave_running() {
  REMARK="$SERVICE could not start again (${1%; }), so it was left running, with the settings of the change that was rolled back: put that right, then: $RESTART_COMMAND"
  note "$REMARK"
}

# The daemon was down already, and a dependency for its start is gone: a rollback does not restore that.
leave_down() {
  LEFT_DOWN=yes
  REMARK="$SERVICE is down and cannot start (${1%; }): put that right, then: $RESTART_COMMAND"
  [ "$LIVE_RESTORE" != temporary ] || REMARK="$REMARK; containers that still run stop with that, unless $DAEMON_JSON has \"live-restore\": true by then"
  note "$REMARK"
}

# Sets `missing` to programs that dockerd needs to start (it may run for years after their removal).
missing_programs() {
  missing=
  set -f
  IFS='
'
  for program in $NEEDS; do
    [ -x "$program" ] || missing="$missing$program is missing; "
  done
  unset IFS
  set +f
}
