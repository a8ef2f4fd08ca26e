# Temporary live-restore: it protects the containers while the daemon restarts.
# Needs functions: await born find_daemon none_runs place_as reload_docker runs
# Needs variables: BACK DAEMON DAEMON_JSON LIVE_RESTORE LIVE_RESTORE_STAYS T WAS_ACTIVE birth pid
# Needs programs: cat rm

# Disables temporary live-restore: restore_live_restore old|new. Never while the daemon is down or stopping (its process is the same
# then): if it starts again without live-restore, it stops every container.
restore_live_restore() {
  if [ "$WAS_ACTIVE" = yes ] && [ "$DAEMON" != stop ]; then
    runs || await runs || return 1
    place_as "$DAEMON_JSON" "$1-off" && reload_docker live_restore_is false
  else
    place_as "$DAEMON_JSON" "$1-off" && reload_live_restore false
  fi
}

reload_live_restore() {
  # A stopped daemon has nothing to reload.
  runs || return 0
  find_daemon && await answers || {
    # A daemon that hangs during its start has read the current file. One that ran before would not enable live-restore, and would stop
    # its containers.
    [ "$BACK" = no ] || return 0
    printf 'dockerd runs and does not answer\n' >&2
    return 1
  }
  reload_docker live_restore_is "$1"
}

# Waits for live-restore. dockerd reloads it while switch.sh places other files and systemd reads its units. The daemon.json of the change
# follows: a daemon with the old flags may reject that.
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

# Ends temporary live-restore while the daemon is down, if no container needs it: its start reads the final daemon.json, and the
# confirmation need not wait for a reload. Records a process that begins now: a client may have started the daemon before.
end_unneeded_protection() {
  [ "$LIVE_RESTORE:$LIVE_RESTORE_STAYS:$BACK" = temporary:no:no ] && none_runs && final_daemon_json new 2>/dev/null || return 0
  (read -r self rest </proc/self/stat && born "$self" && printf '%s %s\n' "$birth" "$self" >"$T/unprotected") 2>/dev/null ||
    rm -f -- "$T/unprotected"
  return 0
}

# Has the daemon started since end_unneeded_protection? Within the same tick, the later process has the higher ID.
started_unprotected() {
  read -r ended self 2>/dev/null <"$T/unprotected" && find_daemon && born "$pid" &&
    { [ "$birth" -gt "$ended" ] || { [ "$birth" = "$ended" ] && [ "$pid" -gt "$self" ]; }; }
}

# Places the final daemon.json after temporary live-restore: final_daemon_json old|new
final_daemon_json() {
  if [ -e "$DAEMON_JSON.docker-tls-$1" ] || [ -L "$DAEMON_JSON.docker-tls-$1" ]; then
    place_as "$DAEMON_JSON" "$1"
  else
    rm -f -- "$DAEMON_JSON"
  fi
}
