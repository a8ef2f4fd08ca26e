# Process ID of a user's dockerd, a child of RootlessKit.
# Needs variables: RUN
# Needs programs: cat

# Sets `pid` from the daemon's PID file.
find_own_daemon() {
  pid=0
  # dockerd writes no final newline, so read reports end of file.
  read -r pid 2>/dev/null <"$RUN/docker.pid"
  [ "$(cat "/proc/${pid:-0}/comm" 2>/dev/null)" = dockerd ] && [ -O "/proc/$pid" ] && return 0
  pid=0
  return 1
}
