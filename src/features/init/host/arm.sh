# Rollback timer on hosts with init scripts: a waiting process, and a script for the next boot.
# Needs variables: CONFIRM RECOVERY T
# Needs programs: setsid sleep

unread_units() { unread=; }

set_recovery_goal() { goal=$RECOVERY; }

start_timer() {
  setsid sh "$T/rollback.sh" timer "$CONFIRM" </dev/null >/dev/null 2>&1 3<&- 4<&- 9<&- &
  tries=0
  until [ -s "$T/timer" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || {
      printf 'the process that waits for the confirmation did not start\n' >&2
      return 1
    }
    sleep 0.05
  done
}
