# The dockerd of the user, which RootlessKit has started.
# Needs variables: RUN
# Needs programs: cat

# Sets `pid` to its number, by the file that it writes.
find_own_daemon() {
  pid=0
  # dockerd writes it without a line end, which read calls the end of the file.
  read -r pid 2>/dev/null <"$RUN/docker.pid"
  [ "$(cat "/proc/${pid:-0}/comm" 2>/dev/null)" = dockerd ] && [ -O "/proc/$pid" ] && return 0
  pid=0
  return 1
}
