# Containers that ran when the change began, and whether it stopped any.
# Needs functions: api born find_daemon local_socket mark note
# Needs variables: CONTAINERS DAEMON NL RUN T TXN birth pid
# Needs programs: grep mv rm sed

# Does no container run? Each has a shim, and a directory of containerd. A daemon that a client starts meanwhile has live-restore.
none_runs() {
  [ -e "$T/idle" ] || return 1
  for path in "$RUN/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/"* "$RUN/containerd/io.containerd.runtime.v2.task/moby/"*; do
    [ ! -e "$path" ] || return 1
  done
  grep -qs -e '^containerd-shim' -e '^docker-containe' /proc/[0-9]*/comm
  # 2: a process has ended meanwhile.
  case $? in 1 | 2) return 0 ;; esac
  return 1
}

# Prints a line for each container by its ID: look_at_containers ID…: `ID STATUS PID EXIT RESTARTS NAME`, or `ID absent`
look_at_containers() (
  for id in "$@"; do
    shift
    set -- "$@" "/containers/$id/json"
  done
  exec 9<&-
  api "$socket" "$TXN" "$@" |
    sed -n -e 's/^--[^ ]* api 404 .*\/containers\/\([0-9a-f]*\)\/json$/\1 absent/p' -e 's/^{"Id":"\([0-9a-f]*\)",.*"State":{"Status":"\([a-z]*\)",.*"Pid":\([0-9]*\),"ExitCode":\([0-9]*\),.*"Name":"\/\([^"]*\)","RestartCount":\([0-9]*\),.*$/\1 \2 \3 \4 \6 \5/p'
)

# Records the running containers, each with its process and start time. Nothing if the change may stop containers.
note_containers() {
  [ "$CONTAINERS" = keep ] && [ -n "$socket" ] || return 0
  # Match the ID at the start of an object, so the value of a label does not match.
  found=$(
    exec 9<&-
    api "$socket" "$TXN" /containers/json | sed 's/[[,]{"Id":"\([0-9a-f]\{12,\}\)"/\
@\1\
/g'
  )
  case $found in '[]'*"--$TXN api 200 "*) mark idle ;; esac
  ids=
  set -f
  IFS=$NL
  for line in $found; do case $line in @*) ids="$ids ${line#@}" ;; esac done
  unset IFS
  set +f
  [ -n "$ids" ] || return 0
  # shellcheck disable=SC2086 # ids
  look_at_containers $ids | while read -r id status process code restarts name; do
    born "$process" || continue
    printf '%s %s %s %s %s\n' "$id" "$process" "$birth" "$restarts" "$name"
  done >"$T/containers.part" && mv -- "$T/containers.part" "$T/containers"
}

# Sets `stopped` to the containers that the change stopped, and how they ended; empty: none. Some containers exit without a cause in the
# change, and another program may remove some: removed ones count only if no container is left, as without live-restore. While the same
# daemon runs, other programs stop them.
find_stopped() {
  stopped='' gone='' any=no
  [ -s "$T/containers" ] && [ "$DAEMON" != none ] && ! runs_on || return 0
  while read -r id process began restarts name <&3; do
    if born "$process" && [ "$birth" = "$began" ]; then any=yes; else gone="$gone $id"; fi
  done 3<"$T/containers"
  [ -n "$gone" ] || return 0
  states=
  if find_daemon; then
    local_socket "$pid"
    # shellcheck disable=SC2086 # ids
    [ -z "$socket" ] || states=$(look_at_containers $gone)
  fi
  while read -r id process began restarts name <&3; do
    case "$gone " in *" $id "*) ;; *) continue ;; esac
    how_ended
    [ -z "$ended" ] || stopped="$stopped${stopped:+, }$name ($ended)"
  done 3<"$T/containers"
}

# Is the daemon the one that ran at the last inspection?
runs_on() {
  read -r known seen socket 2>/dev/null <"$T/looked" && find_daemon && born "$pid" && [ "$known $seen" = "$pid $birth" ]
}

# Fails if the change stopped a container, and names it.
keeps_containers() {
  find_stopped
  [ -n "$stopped" ] || {
    { find_daemon && born "$pid" && printf '%s %s\n' "$pid" "$birth" >"$T/looked"; } || rm -f -- "$T/looked"
    return 0
  }
  STEP=containers
  printf 'containers stopped that ran before: %s\n' "$stopped" >&2
  return 1
}

# Names containers that a rollback could not bring back, for the operator.
name_stopped() {
  find_stopped
  [ -n "$stopped" ] || return 0
  note "containers stopped in the change: $stopped"
  REMARK="${REMARK:+$REMARK; }containers stopped: $stopped; see docker ps -a"
}

# Sets `ended` to how the container `id` was stopped; empty: its process exited. The daemon counts a restart by the container's policy
# (`restarts`), but not one by the daemon.
how_ended() {
  ended=
  case $states in *"$id "*) ;; *)
    [ "$any" = yes ] || ended='not running; the daemon cannot be asked'
    return
    ;;
  esac
  state=${states#*"$id "}
  # shellcheck disable=SC2086 # words
  set -- ${state%%"
"*}
  case $1:${3:-} in
    absent:) [ "$any" = yes ] || ended='no longer there' ;;
    running:* | paused:* | restarting:*) [ "$4" -gt "$restarts" ] || ended='started anew' ;;
    *:137 | *:143) ended="exit $3" ;;
    *) [ "$any" = yes ] || ended="exit $3" ;;
  esac
}
