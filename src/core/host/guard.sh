# Guard of a change: the process that rolls it back without a confirmation, on hosts without a service manager's timer (init/arm.sh).
# Needs programs: cat tr

# Has the guard of the change recorded in this directory died? Then only a new run or the next boot rolls that change back: lost_guard
# DIRECTORY
lost_guard() {
  [ -f "$1/settings" ] && [ -s "$1/timer" ] || return 1
  case $(tr '\000' ' ' 2>/dev/null <"/proc/$(cat "$1/timer")/cmdline") in *"$1/rollback.sh "*) return 1 ;; esac
}
