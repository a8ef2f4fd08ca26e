# The verbs of the script that is stored on the host. Without one (when a change includes this text) only the functions are defined.
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
        # The change itself hangs: it had its time. (Its number may be another program's by now, hence the question.)
        kill -9 "$pid"
        wait_s=10
      else
        # The other end of the same change, perhaps with a daemon that starts slowly: two at the same time would stop its containers.
        wait_s=$((3 * LIMIT))
      fi
      take_mutex "$wait_s" || note "the rollback goes on without the mutex"
    fi
    # The one that was waited for has ended this change; another one may have begun. Killed while it removed the records, it may have left those
    # without the id.
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
      # Why not: a full disk, as a rule.
      if why=$(
        exec 2>&1 >/dev/null
        commit
      ); then result committed; else result uncommitted "$why"; fi
      exit 0
    fi
    if [ -e "$T/committed" ]; then outcome=committed; else outcome=undone; fi
    undo "${2:-asked}"
    status=$?
    # Nothing else would end it once its daemon runs again.
    while [ "$status" -ne 0 ] && [ "${2:-}" = timer ]; do
      # mksh keeps a copy of what it closes, and with it the lock, for as long as it runs.
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
    # A unit (boot, timer) takes what runs in the background along when it ends: systemd has to have forgotten the recovery unit by then.
    wait
    exit "$status"
    ;;
esac
