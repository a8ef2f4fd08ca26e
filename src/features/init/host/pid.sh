# Process ID of the host's dockerd, without a service manager.
# Needs programs: cat grep readlink

# Sets `pid` to the running dockerd, by its PID file, or by name if that file is in another place. Skips a dockerd in a container or of
# another user.
find_daemon() {
  pid=0
  # dockerd writes no final newline, so read reports end of file.
  read -r pid 2>/dev/null </var/run/docker.pid
  is_daemon "$pid" && return 0
  for file in $(grep -lxs dockerd /proc/[0-9]*/comm); do
    pid=${file#/proc/} && pid=${pid%/comm}
    is_daemon "$pid" && return 0
  done
  pid=0
  return 1
}

# A zombie process has no executable.
is_daemon() {
  [ "$(cat "/proc/$1/comm" 2>/dev/null)" = dockerd ] && [ -O "/proc/$1" ] && readlink "/proc/$1/exe" >/dev/null &&
    [ "$(readlink "/proc/$1/ns/pid")" = "$(readlink /proc/self/ns/pid)" ]
}
