# OpenRC: how its service is run.
# Needs programs: rc-service

# run_script COMMAND… VERB, with the command before the script: run_script timeout 10 stop
run_script() {
  # OpenRC does not start what it believes to run, such as a daemon that has died.
  [ "$3" != start ] || rc-service docker zap >/dev/null 2>&1
  "$1" "$2" rc-service docker "$3"
}
