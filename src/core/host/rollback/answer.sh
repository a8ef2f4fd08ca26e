# Check that the daemon has started: it answers.
# Needs functions: api find_daemon find_socket look_at_clock refused runs
# Needs variables: BACK GENERATION LIMIT T TXN socket uptime
# Needs programs: cat docker rm sleep timeout

# Sets `birth` to the start time of a process in clock ticks: born PID
born() {
  read -r birth 2>/dev/null <"/proc/$1/stat" || return 1
  # shellcheck disable=SC2086 # fields
  set -- ${birth##*)}
  birth=${20:-}
  [ "$1" != Z ]
}

# Is the daemon that answered last still running? Sets `pid`.
same_daemon() { still_runs "$T/daemon"; }

# Does the process whose pid and start time a file has still run? Sets `pid`: still_runs FILE
still_runs() {
  read -r pid noted rest 2>/dev/null <"$1" && born "$pid" && [ "$birth" = "$noted" ]
}

# Is the service active, and does its daemon answer?
is_up() { runs && find_daemon && answers; }

# Has the daemon `pid` started? With Type=simple, exec or idle the service manager reports dockerd as started before it handles signals,
# and a SIGHUP would kill it. A daemon that has answered once counts as started.
answers() {
  born "$pid" || return 1
  { read -r known seen 2>/dev/null <"$T/daemon" && [ "$known $seen" = "$pid $birth" ]; } || responds || return 1
  printf '%s %s\n' "$pid" "$birth" >"$T/daemon" || rm -f -- "$T/daemon"
}

# Has the change removed the path of the daemon's local socket? The path does not come back. A rollback continues anyway: it does no
# further harm, and another program may have deleted the path.
has_lost() { [ "$BACK" != yes ] && [ -n "$lost" ] && [ -e "$T/local" ]; }

# Does the daemon answer at the path of its local socket?
responds() {
  find_socket started
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
  # Only a removal may take away an existing local socket.
  if [ -z "$socket" ] && [ "$BACK" != yes ] && [ -e "$T/local" ] && [ "$GENERATION" != none ]; then
    printf 'dockerd has opened no local socket, and had one before\n' >&2
    return 1
  fi
  # Without a socket or an HTTP client, a daemon that has run for 10 s counts as started. The kernel counts hundredths of a second.
  look_at_clock
  [ $((uptime - birth / 100)) -ge 10 ]
}

# Waits until the started daemon answers, or has exited. A supervisor may restart an exited daemon at once.
await_answer() {
  look_at_clock
  end=$((uptime + LIMIT)) gone=0 said=$T/answer-error
  # A shell skips a command whose output file it cannot open: without free inodes it would never ask.
  { true >"$said"; } 2>/dev/null || said=/dev/null
  lost=
  still_runs "$T/started" && answers 2>"$said" && return 0
  # What was noted of a daemon that had just begun may have changed.
  rm -f -- "$T/started"
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
