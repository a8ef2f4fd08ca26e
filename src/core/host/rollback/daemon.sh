# The running dockerd: reloads of its configuration, and live-restore for the moment of a restart.
# Needs functions: answers api await born find_daemon local_socket look_at_service mark note note_containers place_as runs
# Needs variables: BACK DAEMON DAEMON_JSON SERVICE T TXN WAS_ACTIVE birth pid shown
# Needs programs: cat date docker rm timeout

# Sets `socket` to where it answers: a daemon has the same ones for as long as it runs.
find_socket() {
  known=
  read -r known seen socket 2>/dev/null <"$T/looked"
  if [ "$known" != "$pid" ] || [ ! -S "$socket" ]; then local_socket "$pid"; fi
}

# Asks for the daemon and its socket beside other things that are done: `shown` and `looked` below $T.
look_ahead() {
  look_at_service
  [ -z "$shown" ] || printf '%s\n' "$shown" >"$T/shown" || rm -f -- "$T/shown"
  KNOWN=yes
  find_daemon && born "$pid" || return 0
  socket='' lost=''
  ! answers || note_containers
  # One that it has lost since is a failure of the change.
  if [ -n "$socket" ] && [ -z "$lost" ]; then mark local; fi
  printf '%s %s %s\n' "$pid" "$birth" "$socket" >"$T/looked" || rm -f -- "$T/looked"
}

# Takes what look_ahead has found; asks anew where the daemon that it saw runs no longer, or none did.
look_back() {
  look_at_service "$T/shown"
  KNOWN=yes
  find_daemon && read -r known seen socket 2>/dev/null <"$T/looked" && [ "$known" = "$pid" ] && born "$pid" &&
    [ "$birth" = "$seen" ] || look_at_service
}

# dockerd takes its configuration in some time later: wait until it says so, on the socket that it has now: reload_docker WORDS…
# Not by the service manager's reload: an emptied ExecReload=, a host without /bin/kill, and the kill of procps in a Turkish locale
# ("Invalid argument") all fail there.
reload_docker() {
  [ "$1" != reloaded ] || began=$(date +%s.%N)
  find_daemon || return 1
  if await answers; then
    kill -s HUP "$pid" || return 1
    find_socket
    await "$@" && return 0
  fi
  [ "$BACK" = yes ] && note "$SERVICE was reloaded and did not confirm that it took its configuration ($*)"
}

# Did the daemon refuse an answer of api? A plugin for authorization that does not let the question through, or that has failed itself: then
# it cannot be known, as where there is nothing to ask with.
refused() {
  case $1 in *"--$TXN api 401 "* | *"--$TXN api 403 "* | *"authorization denied by plugin"* | *'"message":"plugin '*' failed with error: '*) return 0 ;; esac
  return 1
}

# Is live-restore on in the running daemon? 2: unknown. It is asked twice at once: it may answer the first time before it has taken a reload in, and to
# ask once more later would take three times as long.
live_restore_is() {
  [ -n "$socket" ] || return 2
  info=$(
    exec 9<&-
    api "$socket" "$TXN" /info /info
  )
  if [ $? = 2 ]; then
    command -v docker >/dev/null 2>&1 || return 2
    # What it refuses it says on stderr, and there it may also warn: of a missing HOME, of its own configuration.
    info=$(
      exec 9<&-
      timeout 10 docker -H "unix://$socket" info --format '"LiveRestoreEnabled":{{.LiveRestoreEnabled}}' 2>&1
    )
  fi
  case $info in *"\"LiveRestoreEnabled\":$1"*) return 0 ;; esac
  ! refused "$info" || return 2
  return 1
}

# Has dockerd taken its configuration in since `began`? It says so as an event; what it does not accept it only logs. 2: unknown.
reloaded() {
  [ -n "$socket" ] || return 2
  events=$(
    exec 9<&-
    api "$socket" "$TXN" "/events?since=$began&until=$(date +%s.%N)&filters=%7B%22event%22%3A%7B%22reload%22%3Atrue%7D%7D"
  )
  [ $? != 2 ] || return 2
  case $events in *'"reload"'*) return 0 ;; esac
  ! refused "$events" || return 2
  return 1
}

# Takes away the live-restore of a moment: restore_live_restore old|new. Never while the daemon is down or is being stopped (its process is the same
# then): it may be about to be started again, would come back without live-restore and stop every container.
restore_live_restore() {
  if [ "$WAS_ACTIVE" = yes ] && [ "$DAEMON" != stop ]; then
    runs || await runs || return 1
    place_as "$DAEMON_JSON" "$1-off" && reload_docker live_restore_is false
  else
    place_as "$DAEMON_JSON" "$1-off" && reload_live_restore false
  fi
}

reload_live_restore() {
  # Where it does not run there is nothing to take in.
  runs || return 0
  find_daemon && await answers || {
    # One that hangs in its start has read what is there now. One that ran before would not take live-restore in, and stop its containers.
    [ "$BACK" = no ] || return 0
    printf 'dockerd runs and does not answer\n' >&2
    return 1
  }
  reload_docker live_restore_is "$1"
}

# Live-restore is taken in while other files are put in place and systemd reads its units (switch.sh): waits for it. Only then comes the daemon.json
# of the change, which a daemon that runs with the old flags may not take.
await_protection() {
  [ -n "$protection" ] || return 0
  wait "$protection" || {
    protection=
    STEP=protect
    printf 'the daemon did not take in live-restore: ' >&2
    cat -- "$T/protect-error" >&2
    return 1
  }
  protection=
  place_as "$DAEMON_JSON" new-on && return 0
  STEP=switch
  return 1
}

# daemon.json as it is meant to stay, after live-restore was on for a moment: final_daemon_json old|new
final_daemon_json() {
  if [ -e "$DAEMON_JSON.docker-tls-$1" ] || [ -L "$DAEMON_JSON.docker-tls-$1" ]; then
    place_as "$DAEMON_JSON" "$1"
  else
    rm -f -- "$DAEMON_JSON"
  fi
}
