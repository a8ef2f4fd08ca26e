# The host's own dockerd, where no service manager knows its number.
# Needs programs: cat grep readlink

# Sets `pid` to the number of the dockerd that runs: by its file, or by its name where that file is elsewhere. One in a container, or of a user, is another.
find_daemon() {
  pid=0
  # dockerd writes it without a line end, which read calls the end of the file.
  read -r pid 2>/dev/null </var/run/docker.pid
  is_daemon "$pid" && return 0
  for file in $(grep -lxs dockerd /proc/[0-9]*/comm); do
    pid=${file#/proc/} && pid=${pid%/comm}
    is_daemon "$pid" && return 0
  done
  pid=0
  return 1
}

# A process that has ended and that its parent has not waited for no longer has a program.
is_daemon() {
  [ "$(cat "/proc/$1/comm" 2>/dev/null)" = dockerd ] && [ -O "/proc/$1" ] && readlink "/proc/$1/exe" >/dev/null &&
    [ "$(readlink "/proc/$1/ns/pid")" = "$(readlink /proc/self/ns/pid)" ]
}
