# Retry of a failed rollback: the remaining steps, and instructions for the operator.
# Needs functions: apply_part drop_socket end_protection is_apart is_up look_at_service mark may_restore note place_as reread reset_failed
# Needs functions: restart_docker restore_files runs start_service
# Needs variables: DAEMON_JSON LIVE_RESTORE PARTS RESTART_COMMAND SERVICE T WAS_ACTIVE

# Instructions for the operator.
failed_words() {
  printf '%s: the rollback failed' "$SERVICE"
  if [ "$WAS_ACTIVE" = yes ] && ! runs; then
    printf ', usually because dockerd does not start with the settings that it had. Repair them (its log names what) and start it: '
    printf 'nothing that you change is overwritten, and the rollback ends once dockerd answers'
  else
    printf ': not everything could be put back. It is tried again by itself, or at once: sh %s/rollback.sh undo requested' "$T"
  fi
}

# Continues after a failed rollback, usually because the daemon does not start with the original settings. A running daemon is left alone.
# A later command starts a stopped daemon; the timer does not, because an administrator may be repairing it. The rollback does not wait
# for a daemon that did not run before the change.
resume() {
  result=0 ours=no up=yes
  if [ "$LIVE_RESTORE" = temporary ] && may_restore "$DAEMON_JSON"; then ours=yes; fi
  if [ "$WAS_ACTIVE" = yes ] && ! is_up; then
    up=no
    if [ "$1" = timer ]; then
      retry_parts apart
      return 1
    fi
    if [ "$ours" = yes ]; then place_as "$DAEMON_JSON" old-on || result=1; fi
  fi
  restore_files || result=1
  # No service has read the paths that could not be restored before.
  late=no
  if [ -e "$T/unrestored" ]; then
    late=yes
    reread || result=1
    [ "$result" != 0 ] || for part in $PARTS; do if is_apart "$part"; then mark "$part-failed"; fi; done
  fi
  retry_parts || result=1
  [ "$up" = yes ] || bring_up || return 1
  [ "$result" = 0 ] && end_protection || return 1
  [ "$up:$late" = yes:yes ] || return 0
  drop_socket
  runs || return 0
  REMARK="${REMARK:+$REMARK; }$SERVICE runs, with settings from before all files were back: $RESTART_COMMAND"
  note "$REMARK"
}

# A restart moves the socket unit to the address in its files, and stops only inactive units.
bring_up() {
  reset_failed
  if [ "$late" = no ] || runs; then
    start_service
  else
    look_at_service
    restart_docker start
  fi
}

# Brings services in line with the restored files if the rollback failed to: all, or those that do not need the daemon: retry_parts [apart]
retry_parts() {
  retried=0
  for part in $PARTS; do
    [ -e "$T/$part-failed" ] || continue
    [ $# = 0 ] || is_apart "$part" || continue
    apply_part "$part" || retried=1
  done
  return "$retried"
}
