# Timer of a change without a service manager: a process in its own session.
# Needs variables: T
# Needs programs: cat mv sleep tr

case ${1:-} in
  # timer SECONDS
  timer)
    trap '' HUP PIPE
    printf '%s' $$ >"$T/timer.part" && mv -- "$T/timer.part" "$T/timer"
    sleep "$2"
    # A forgotten timer must not end the next change.
    [ "$(cat "$T/timer" 2>/dev/null)" = $$ ] || exit 0
    exec /bin/sh "$T/rollback.sh" undo timer
    ;;
esac

# Ends the timer unless it has begun to roll back. The ID may belong to another process by then.
stop_timer() {
  waiting=$(cat "$T/timer" 2>/dev/null)
  case $(tr '\000' ' ' 2>/dev/null <"/proc/${waiting:-0}/cmdline") in
    *"$T/rollback.sh clean timer "*) kill -s KILL -- "-$waiting" ;;
  esac
  return 0
}

forget_recovery() { :; }
read_at_boot() { :; }
