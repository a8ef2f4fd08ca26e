# OpenRC service commands.
# Needs functions: look_at_clock
# Needs variables: LIMIT uptime
# Needs programs: grep rc-service readlink sleep tr

# run_script COMMAND… VERB, with a command prefix: run_script timeout 10 stop
run_script() {
  # OpenRC does not start a service that it believes is running, for instance after the daemon died.
  if [ "$3" = start ]; then
    end_supervisor
    rc-service docker zap >/dev/null 2>&1
  fi
  "$1" "$2" rc-service docker "$3"
  ran=$?
  # An unreadable script has stopped nothing.
  [ "$3" != stop ] || end_supervisor
  return "$ran"
}

# Ends the supervisor that restarts a dead daemon (supervise-daemon), and the daemon with it. OpenRC then considers the service stopped.
end_supervisor() {
  find_supervisor || return 0
  kill -s TERM "$supervisor"
  look_at_clock
  end=$((uptime + LIMIT))
  while find_supervisor && [ "$uptime" -lt "$end" ]; do
    sleep 0.1
    look_at_clock
  done
}

# Sets `supervisor` to its process ID. Skips supervisors inside containers.
find_supervisor() {
  for file in $(grep -lxs supervise-daemo /proc/[0-9]*/comm); do
    supervisor=${file#/proc/} && supervisor=${supervisor%/comm}
    case $(tr '\000' ' ' 2>/dev/null <"/proc/$supervisor/cmdline") in
      'supervise-daemon docker '*) [ "$(readlink "/proc/$supervisor/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] || return 0 ;;
    esac
  done
  return 1
}
