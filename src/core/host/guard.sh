# The guard of a change: the process that rolls it back without a confirmation, where no service manager keeps the time (init/arm.sh).
# Needs programs: cat tr

# Is it gone, of the change whose records are in this directory? Only its end or the next boot would roll that back: lost_guard DIRECTORY
lost_guard() {
  [ -f "$1/settings" ] && [ -s "$1/timer" ] || return 1
  case $(tr '\000' ' ' 2>/dev/null <"/proc/$(cat "$1/timer")/cmdline") in *"$1/rollback.sh "*) return 1 ;; esac
}
