# Whether the daemon has started: it answers.
# Needs functions: api find_daemon local_socket look_at_clock refused runs
# Needs variables: BACK GENERATION LIMIT T TXN socket uptime
# Needs programs: cat docker rm sleep timeout

# Sets `birth` to when a process began, in the kernel's count: born PID
born() {
  read -r birth 2>/dev/null <"/proc/$1/stat" || return 1
  # shellcheck disable=SC2086 # fields
  set -- ${birth##*)}
  birth=${20:-}
  [ "$1" != Z ]
}

# Does the daemon still run that has answered last? Sets `pid`.
same_daemon() {
  read -r pid noted 2>/dev/null <"$T/daemon" && born "$pid" && [ "$birth" = "$noted" ]
}

# Does the service run, and its daemon answer?
is_up() { runs && find_daemon && answers; }

# Has the daemon `pid` started? The service manager's word is not enough: with Type=simple, exec or idle it calls dockerd started before that handles signals,
# and a SIGHUP ends it then. One that has answered is not asked again.
answers() {
  born "$pid" || return 1
  { read -r known seen 2>/dev/null <"$T/daemon" && [ "$known $seen" = "$pid $birth" ]; } || responds || return 1
  printf '%s %s\n' "$pid" "$birth" >"$T/daemon" || rm -f -- "$T/daemon"
}

# Has the change taken the path of a socket away, of a daemon that answered on such a one before? It does not come back. A rollback goes on all the same:
# it is no worse without, and somebody else may have deleted it meanwhile.
has_lost() { [ "$BACK" != yes ] && [ -n "$lost" ] && [ -e "$T/local" ]; }

# Does it answer on its local socket, by the path of that?
responds() {
  local_socket "$pid"
  if has_lost; then
    printf 'dockerd runs, and its socket %s is gone\n' "$lost" >&2
    return 1
  fi
  if [ -n "$socket" ]; then
    answer=$(
      exec 9<&-
      api "$socket" "$TXN" /_ping
    )
    if [ $? != 2 ]; then
      case $answer in '' | *"--$TXN api 000 "*) return 1 ;; esac
      return 0
    fi
    if command -v docker >/dev/null 2>&1; then
      answer=$(
        exec 9<&-
        timeout 15 docker -H "unix://$socket" version 2>&1
      ) || refused "$answer"
      return
    fi
  fi
  # One that it had is not taken away, unless by a removal.
  if [ -z "$socket" ] && [ "$BACK" != yes ] && [ -e "$T/local" ] && [ "$GENERATION" != none ]; then
    printf 'dockerd has opened no local socket, and had one before\n' >&2
    return 1
  fi
  # Without a socket, or a program to ask with, it is taken to have started once it has run for a while. The kernel counts hundredths of seconds.
  look_at_clock
  [ $((uptime - birth / 100)) -ge 10 ]
}

# Waits until the daemon that was started answers. One that ends in its start is not waited for; a supervisor may start it again at once.
await_answer() {
  look_at_clock
  end=$((uptime + LIMIT)) gone=0 said=$T/answer-error
  # A shell does not run what it cannot open the output of: without free inodes it would never ask.
  { true >"$said"; } 2>/dev/null || said=/dev/null
  while [ "$uptime" -lt "$end" ] && [ "$gone" -lt 20 ]; do
    lost=
    find_daemon && answers 2>"$said" && return 0
    if has_lost || ! find_daemon; then gone=$((gone + 1)); fi
    sleep 0.1
    look_at_clock
  done
  cat -- "$said" >&2 2>/dev/null
  printf 'dockerd does not run, or does not answer\n' >&2
  return 1
}
