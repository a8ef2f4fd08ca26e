# The running dockerd: its configuration reloads, and what it says of itself.
# Needs functions: answers api await born find_daemon local_socket look_at_service mark note note_containers
# Needs variables: BACK SERVICE T TXN birth pid shown
# Needs programs: curl date docker rm timeout

# Query of /events for reloads.
RELOADS=filters=%7B%22event%22%3A%7B%22reload%22%3Atrue%7D%7D

# Sets `socket` to the local socket of the daemon `pid`. It stays the same while the daemon runs, and may be known: find_socket looked|started
find_socket() {
  known=
  read -r known seen socket 2>/dev/null <"$T/$1"
  if [ "$known" != "$pid" ] || [ ! -S "$socket" ]; then local_socket "$pid"; fi
}

# Inspects the daemon and its socket in the background: `shown` and `looked` below $T.
look_ahead() {
  look_at_service
  [ -z "$shown" ] || printf '%s\n' "$shown" >"$T/shown" || rm -f -- "$T/shown"
  KNOWN=yes
  find_daemon && born "$pid" || return 0
  socket='' lost=''
  ! answers || note_containers
  # A socket lost after this point is a failure of the change.
  if [ -n "$socket" ] && [ -z "$lost" ]; then mark local; fi
  printf '%s %s %s\n' "$pid" "$birth" "$socket" >"$T/looked" || rm -f -- "$T/looked"
}

# Uses the results of look_ahead; inspects again if that daemon has ended, or none ran.
look_back() {
  look_at_service "$T/shown"
  KNOWN=yes
  find_daemon && read -r known seen socket 2>/dev/null <"$T/looked" && [ "$known" = "$pid" ] && born "$pid" &&
    [ "$birth" = "$seen" ] || look_at_service
}

# dockerd applies a reload asynchronously, so this waits for its confirmation on the current socket: reload_docker WORDS…. The service
# manager's reload is unreliable: it fails with an empty ExecReload=, without /bin/kill, and with procps' kill in a Turkish locale
# ("Invalid argument").
reload_docker() {
  began=$(date +%s.%N)
  find_daemon || return 1
  if await answers; then
    find_socket looked
    kill -s HUP "$pid" || return 1
    if reports "$@" || await "$@"; then return 0; fi
  fi
  [ "$BACK" = yes ] && note "$SERVICE was reloaded and did not confirm that it took its configuration ($*)"
}

# Does the daemon report the reload since `began` as an event within 0.3 s? The event has the new value of live-restore, comes as soon as
# the reload has ended, and costs the daemon less than an answer to /info. A host without curl, or a rejected request: no.
reports() { # live_restore_is true|false, or reloaded
  [ -n "$socket" ] && command -v curl >/dev/null || return 1
  reported=$(
    exec 9<&-
    {
      curl -qsgN -m 0.3 --unix-socket "$socket" "http://docker/events?since=$began&$RELOADS" 2>/dev/null &
      printf '%s\n' "$!"
    } | {
      read -r process
      read -r event
      # The event may come first.
      case $process in *[!0-9]*) first=$process process=$event event=$first ;; esac
      # The stream of events goes on.
      kill "$process" 2>/dev/null
      printf '%s\n' "$event"
    }
  )
  case $1:$reported in
    reloaded:*'"Action":"reload"'*) ;;
    live_restore_is:*'"Action":"reload"'*"\"live-restore\":\"${2-}\""*) ;;
    *) return 1 ;;
  esac
}

# Did the daemon reject a request of api? An authorization plugin that denies it, or fails, leaves the state unknown, as does a missing
# HTTP client.
refused() {
  case $1 in *"--$TXN api 401 "* | *"--$TXN api 403 "* | *"authorization denied by plugin"* | *'"message":"plugin '*' failed with error: '*) return 0 ;; esac
  return 1
}

# Is live-restore active in the running daemon? 2: unknown. Sends the request twice at once: the first answer may precede the reload, and
# a later retry would take three times as long.
live_restore_is() {
  [ -n "$socket" ] || return 2
  info=$(
    exec 9<&-
    api "$socket" "$TXN" /info /info
  )
  if [ $? = 2 ]; then
    command -v docker >/dev/null 2>&1 || return 2
    # docker prints errors on stderr, but also warnings: a missing HOME, its own configuration.
    info=$(
      exec 9<&-
      timeout 10 docker -H "unix://$socket" info --format '"LiveRestoreEnabled":{{.LiveRestoreEnabled}}' 2>&1
    )
  fi
  case $info in *"\"LiveRestoreEnabled\":$1"*) return 0 ;; esac
  ! refused "$info" || return 2
  return 1
}

# Has dockerd reloaded its configuration since `began`? It reports a reload as an event; a rejected one appears only in its log.
# 2: unknown.
reloaded() {
  [ -n "$socket" ] || return 2
  events=$(
    exec 9<&-
    api "$socket" "$TXN" "/events?since=$began&until=$(date +%s.%N)&$RELOADS"
  )
  [ $? != 2 ] || return 2
  case $events in *'"reload"'*) return 0 ;; esac
  ! refused "$events" || return 2
  return 1
}
