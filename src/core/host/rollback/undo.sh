# Rollback to the state before the change: immediately, by timer, or at the next boot.
# Needs functions: apply_services clear_beside clear_blobs failed_words final_daemon_json finish forget_recovery mark may_restore
# Needs functions: name_stopped note of_parts place_as read_at_boot release_port reload_live_restore remove_created restore_files
# Needs functions: restore_live_restore stop_timer unlist_recovery
# Needs variables: DAEMON_JSON LEFT_DOWN LIVE_RESTORE LOCK RECOVERY RECOVERY_LINK RUN STATE T TXN WAS_ACTIVE
# Needs programs: rm sleep

undo() {
  reason=$1 changed=
  BACK=yes KNOWN=no
  if [ -e "$T/committed" ]; then
    finish
    return
  fi
  release_port
  if [ -e "$T/switched" ] && [ ! -e "$T/restored" ]; then
    if [ -e "$T/failed" ] && [ "$reason" != boot ]; then way=resume; else way=roll_back_files; fi
    if ! "$way" "$reason"; then
      [ "$way:$reason" = resume:timer ] || note "$(failed_words)"
      # Release the host lock: the next run retries, and reports the problem.
      mark failed
      rm -f -- "$LOCK"
      return 6
    fi
    [ -z "$changed" ] || note "changed since, and left as it is: $changed"
    mark restored
  fi
  [ "$reason" = boot ] || name_stopped
  clear_beside
  clear_blobs
  clear_recovery
  forget_recovery
  remove_created "$T/created"
  note "rolled back $TXN ($reason)"
  # Until this point the timer would have continued a killed rollback.
  stop_timer
  # The records go last: while they exist, the next change completes this rollback.
  rm -f -- "$LOCK"
  # A key made on the host for this change is obsolete, and the run that requested it may have ended.
  rm -rf -- "$RUN/docker-tls-$TXN" "$RUN"/docker-tls-key-*
  clear_records
  return 0
}

roll_back_files() {
  result=0 ours=no
  if [ "$LIVE_RESTORE" = temporary ] && may_restore "$DAEMON_JSON"; then ours=yes; fi
  if [ "$1" = boot ]; then
    # The daemon has not started yet: it will read the restored files.
    restore_files || result=1
    if [ "$ours" = yes ]; then final_daemon_json old || result=1; fi
    read_at_boot || result=1
    return "$result"
  fi
  if [ "$ours" = yes ]; then
    # A daemon started by the change would stop its containers without live-restore, and may reject the settings from before. A daemon that
    # the change never stopped keeps running.
    if [ -e "$T/stopped" ]; then place_as "$DAEMON_JSON" new-on && reload_live_restore true; fi
    place_as "$DAEMON_JSON" old-on || result=1
  fi
  restore_files || {
    result=1
    mark unrestored
  }
  # undo: partly done
  if [ -e "$T/services" ]; then
    if [ "$WAS_ACTIVE" = yes ]; then how=start; else how=stop; fi
    # These settings worked before, so retry a failed start once: nothing else will start the daemon.
    apply_services "$how" || {
      sleep 2
      apply_services "$how"
    } || result=1
  fi
  [ "$result" = 0 ] && end_protection
}

# Ends the temporary live-restore of the restart.
end_protection() {
  [ "$ours" = yes ] || return 0
  if [ -e "$T/protected" ] && [ "$LEFT_DOWN" = no ]; then restore_live_restore old || return 1; fi
  final_daemon_json old
}

# Deletes the records of this change, and the parent directory if empty. One command, so that a kill cannot leave half of it. A link is
# not managed.
clear_records() {
  of_parts last
  alone=yes
  for path in "$STATE"/* "$STATE"/.[!.]* "$STATE"/..?*; do
    if [ "$path" != "$T" ] && { [ -e "$path" ] || [ -L "$path" ]; }; then alone=no; fi
  done
  if [ ! -L "$STATE" ] && [ "$alone" = yes ]; then rm -rf -- "$STATE"; else rm -rf -- "$T"; fi
}

clear_recovery() {
  unlist_recovery
  rm -f -- "$RECOVERY" "$RECOVERY_LINK"
}
