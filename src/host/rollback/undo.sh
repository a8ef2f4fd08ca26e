# The rollback: everything back as it was, at once, by the timer or at the next boot.
# Needs functions: apply_services clear_beside clear_blobs final_daemon_json finish mark note place_as release_port
# Needs functions: reload_live_restore remove_created reread restore_files restore_live_restore
# Needs variables: DAEMON_JSON LEFT_DOWN LIVE_RESTORE LOCK STATE T TXN UNITS WAS_ACTIVE
# Needs programs: ls rm sleep systemctl

undo() {
  reason=$1
  BACK=yes
  if [ -e "$T/committed" ]; then
    finish
    return
  fi
  release_port
  if [ -e "$T/switched" ] && [ ! -e "$T/restored" ]; then
    if ! roll_back_files "$reason"; then
      # The rollback itself failed: the originals stay where they are, and the next boot or change tries again.
      note "rolling back $TXN ($reason) failed; the originals are kept as *.docker-tls-old and in $T"
      return 6
    fi
    mark restored
  fi
  clear_beside
  clear_blobs
  clear_recovery
  forget_recovery
  remove_created "$T/created"
  note "rolled back $TXN ($reason)"
  # Until here it would have come to help if this had been killed.
  stop_timer
  # The records go last: as long as they are there, the next change finishes this one.
  rm -f -- "$LOCK"
  # A key that the host made for this change is not its own any more, and who asked for it may be gone.
  rm -rf -- "/run/docker-tls-$TXN" /run/docker-tls-key-*
  clear_records
  return 0
}

roll_back_files() {
  result=0
  if [ "$1" = boot ]; then
    # The daemon has not started yet: it will start on what lies there now.
    restore_files || result=1
    if [ "$LIVE_RESTORE" = temporary ]; then final_daemon_json old || result=1; fi
    reread || result=1
    # A boot that found no unit for our port has not planned its start. It comes before the daemon's, which waits for us.
    if [ -e "$UNITS/docker-tls.socket" ]; then systemctl --no-block start docker-tls.socket 9<&- || result=1; fi
    return "$result"
  fi
  if [ "$LIVE_RESTORE" = temporary ]; then
    place_as "$DAEMON_JSON" old-on || result=1
    # A daemon that runs on a configuration without live-restore would take the containers down with it.
    if [ -e "$T/services" ]; then reload_live_restore true; fi
  fi
  restore_files || result=1
  # undo: half way
  if [ -e "$T/services" ]; then
    if [ "$WAS_ACTIVE" = yes ]; then how=start; else how=stop; fi
    # It ran with this before: a start that fails is tried again, since nobody else will do it.
    apply_services "$how" || {
      sleep 2
      apply_services "$how"
    } || result=1
  fi
  if [ "$LIVE_RESTORE" = temporary ] && [ "$result" = 0 ]; then
    if [ -e "$T/protected" ] && [ "$LEFT_DOWN" = no ]; then restore_live_restore old || result=1; fi
    final_daemon_json old || result=1
  fi
  return "$result"
}

stop_timer() {
  systemctl stop "docker-tls-undo-$TXN.timer" 2>/dev/null
  return 0
}

clear_recovery() {
  rm -f -- "$UNITS/docker-tls-recover.service" "$UNITS/sysinit.target.wants/docker-tls-recover.service"
}

# Where systemd has read the recovery unit with others (a change of unit files, a boot), it has to forget it.
forget_recovery() {
  [ "$(systemctl show docker-tls-recover.service -p LoadState 2>/dev/null)" = LoadState=not-found ] || reread 2>/dev/null
}

# The records of this change, and the directory above when nothing else is in it: one command, so that half of it is not left. A link is not ours.
clear_records() {
  if [ ! -L "$STATE" ] && [ "$(ls -A "$STATE")" = "${T##*/}" ]; then rm -rf -- "$STATE"; else rm -rf -- "$T"; fi
}
