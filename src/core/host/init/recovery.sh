# The ends of a change that come by themselves, without a service manager that would keep the time: a process of its own session.
# Needs variables: T
# Needs programs: cat mv sleep tr

case ${1:-} in
  # timer SECONDS
  timer)
    trap '' HUP PIPE
    printf '%s' $$ >"$T/timer.part" && mv -- "$T/timer.part" "$T/timer"
    sleep "$2"
    # One that was forgotten must not end the next change.
    [ "$(cat "$T/timer" 2>/dev/null)" = $$ ] || exit 0
    exec /bin/sh "$T/rollback.sh" undo timer
    ;;
esac

# It waits no longer. One that has begun to undo is no longer a timer; and its number may be another program's by now.
stop_timer() {
  waiting=$(cat "$T/timer" 2>/dev/null)
  case $(tr '\000' ' ' 2>/dev/null <"/proc/${waiting:-0}/cmdline") in
    *"$T/rollback.sh clean timer "*) kill -s KILL -- "-$waiting" ;;
  esac
  return 0
}

forget_recovery() { :; }
read_at_boot() { :; }
