# Commands of the stored rollback script. Without a command (when a change includes this text) it only defines the functions.
# Needs functions: commit failed_words holds_mutex note result take_mutex undo
# Needs variables: LIMIT REMARK T TXN
# Needs programs: cat flock sleep

case ${1:-} in
  undo | commit)
    trap '' HUP PIPE
    if [ ! -f "$T/settings" ]; then
      result nothing
      exit 0
    fi
    . "$T/settings"
    if ! take_mutex 30; then
      pid=$(cat "$T/pid" 2>/dev/null)
      if holds_mutex "$pid"; then
        # The change hangs beyond its time limit. (The check is needed because the ID may belong to another process.)
        kill -9 "$pid"
        wait_s=10
      else
        # Another confirmation or rollback of the same change, perhaps waiting for a slow daemon: two at once would stop its containers.
        wait_s=$((3 * LIMIT))
      fi
      take_mutex "$wait_s" || note "the rollback goes on without the mutex"
    fi
    # The other process may have completed this change, and a new one may have begun. A kill during the deletion may leave records without
    # the ID.
    id=$TXN
    read -r id 2>/dev/null <"$T/id"
    if [ ! -f "$T/settings" ] || [ "$id" != "$TXN" ]; then
      result nothing
      exit 0
    fi
    if [ "$1" = commit ]; then
      if [ "$TXN" != "$2" ]; then
        result nothing
        exit 0
      fi
      # The reason: usually a full disk.
      if why=$(
        exec 2>&1 >/dev/null
        commit
      ); then result committed; else result uncommitted "$why"; fi
      exit 0
    fi
    if [ -e "$T/committed" ]; then outcome=committed; else outcome=undone; fi
    undo "${2:-asked}"
    status=$?
    # Retry until the daemon runs again: nothing else would complete the rollback.
    while [ "$status" -ne 0 ] && [ "${2:-}" = timer ]; do
      # mksh keeps a copy of closed descriptors, and so the lock, until it exits.
      flock -u 9
      exec 9<&-
      sleep 5
      take_mutex 60 || continue
      id=
      read -r id 2>/dev/null <"$T/id"
      if [ ! -f "$T/settings" ] || [ "$id" != "$TXN" ]; then exit 0; fi
      undo timer
      status=$?
    done
    [ "$status" -eq 0 ] || printf '%s\n' "$(failed_words)" >&2
    if [ "$status" -eq 0 ]; then
      if [ "$outcome" = committed ]; then result committed; else result undone "$REMARK"; fi
    fi
    # A unit (boot, timer) kills its background jobs when it ends: wait until systemd has forgotten the recovery unit.
    wait
    exit "$status"
    ;;
esac
