# How often systemd starts the daemon. A daemon that refuses its new settings, and a client that asks it meanwhile, soon reach the limit of
# starts: systemd then closes the local socket, and containers that have it mounted never get it back. So a change lifts the limits
# until it is confirmed or rolled back.
# Needs functions: mark
# Needs variables: BACK DAEMON DAEMON_JSON LOCAL_SOCKET MANIFEST NL SERVICE T TAB TLS_SOCKET UNITS
# Needs programs: mkdir rm rmdir systemctl

# Not in a user's systemd: its daemon opens the local socket itself. Not for new certificates alone: no other start reads units again. A
# daemon.json of the source `same` has live-restore for the restart alone, and the running daemon has taken that.
lift_start_limits() {
  [ "$BACK$DAEMON" = norestart ] && [ -n "$LOCAL_SOCKET" ] && [ "$UNITS" = /etc/systemd/system ] || return 0
  [ -e "$T/units-changed" ] || case ${MANIFEST-} in
    *"${TAB}same$TAB$DAEMON_JSON$NL"*) return 0 ;;
    *"$TAB$DAEMON_JSON$NL"*) ;;
    *) return 0 ;;
  esac
  (
    umask 022
    mkdir -p -- "/run/systemd/system/$SERVICE.d" "/run/systemd/system/$LOCAL_SOCKET.d" "/run/systemd/system/$TLS_SOCKET.d"
    drop_in "$SERVICE" '[Unit]' StartLimitIntervalSec=0
    drop_in "$LOCAL_SOCKET" '[Socket]' TriggerLimitIntervalSec=0
    drop_in "$TLS_SOCKET" '[Socket]' TriggerLimitIntervalSec=0
  ) 2>/dev/null
  mark units-changed
}

# A name that sorts behind those of `systemctl edit`.
drop_in() { printf '%s\n' "$2" "$3" >"/run/systemd/system/$1.d/zz-docker-tls-limits.conf"; }

# Deletes what is lifted, which systemd has to forget then; 1: nothing is.
delete_lifted_limits() {
  set -- "/run/systemd/system/$SERVICE.d" "/run/systemd/system/$LOCAL_SOCKET.d" "/run/systemd/system/$TLS_SOCKET.d"
  [ "$UNITS" = /etc/systemd/system ] && [ -e "$1/zz-docker-tls-limits.conf" ] || return 1
  rm -f -- "$2/zz-docker-tls-limits.conf" "$3/zz-docker-tls-limits.conf" "$1/zz-docker-tls-limits.conf"
  rmdir -- "$@" 2>/dev/null
  return 0
}

# Forgets earlier starts and failures.
reset_failed() { systemctl reset-failed "$SERVICE" "$TLS_SOCKET" $LOCAL_SOCKET 2>/dev/null 9<&- || :; }
