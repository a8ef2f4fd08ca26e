# Confirmation: the change becomes permanent, its generation is kept, and old generations are deleted.
# Needs functions: clear_beside clear_records clear_recovery final_daemon_json forget_recovery keeps_containers mark note
# Needs functions: remove_created restore_live_restore snapshot_path started_unprotected stop_timer
# Needs variables: GENERATION KEEP LIVE_RESTORE LIVE_RESTORE_STAYS LOCK NL RECORD RECOVERY_LINK RUN STATE T TAB TLS_DIRECTORY TXN
# Needs programs: find mkdir mv rm rmdir sync

# Saves the current state of the managed paths.
keep_generation() {
  [ "$GENERATION" != none ] || return 0
  [ ! -e "$T/generation" ] || rm -rf -- "$T/generation"
  mkdir -- "$T/generation" && true >"$T/generation/manifest" || return 1
  index=0
  while IFS=$TAB read -r kind path <&3; do
    index=$((index + 1))
    snapshot_path "$T/generation" "$index" "$kind" "$path" || return 1
  done 3<"$T/managed"
}

# Every step of a confirmation that can fail precedes the mark; `undo` can repeat the steps after it.
commit() {
  if [ ! -e "$T/committed" ]; then
    # commit: still unconfirmed
    if [ "$LIVE_RESTORE" = temporary ]; then
      [ "$LIVE_RESTORE_STAYS" = yes ] || started_unprotected || restore_live_restore new || return 1
      final_daemon_json new || return 1
    fi
    keeps_containers || return 1
    # The record with the store's revision that has this change; the change itself came before that revision.
    if [ -n "${RECORD-}" ]; then
      printf '%s' "$RECORD" >"$T/state.new" && mv -f "$T/state.new" "$T/state.json" || return 1
    fi
    [ -e "$T/generation-kept" ] || keep_generation || return 1
    # The directories that `remove` deletes later. The directory of the recovery unit belongs to the transaction only.
    directories=$NL${RECOVERY_LINK%/*}$NL
    true >"$T/all-created" || return 1
    for list in "$STATE/created" "$T/created"; do
      [ -e "$list" ] || continue
      while IFS= read -r directory <&3; do
        case $directories in *"$NL$directory$NL"*) continue ;; esac
        directories=$directories$directory$NL
        if [ -d "$directory" ]; then printf '%s\n' "$directory" >>"$T/all-created" || return 1; fi
      done 3<"$list" || return 1
    done
    sync "$T"/* "$T"/generation/* 2>/dev/null
    mark committed || return 1
    # A power loss must not lose the confirmation.
    sync "$T" 2>/dev/null
  fi
  finish
}

finish() {
  # finish: confirmed
  clear_beside
  clear_recovery
  if [ "$GENERATION" = none ]; then
    rm -rf -- "$STATE/origin" "$STATE/generations" "$RUN"/docker-tls-key-*
    rm -f -- "$STATE/state.json"
    find_credentials "$T/all-created"
    [ -z "$credentials" ] || rm -rf -- $credentials
    rm -f -- "$STATE/created"
    remove_created "$T/all-created" "$T/created"
    stop_timer &
    stopping=$!
    forget_recovery
    note "removed ($TXN)"
  else
    if [ -d "$T/generation" ]; then
      [ -d "$STATE/generations" ] || mkdir -p -- "$STATE/generations"
      [ ! -e "$STATE/generations/$GENERATION" ] || rm -rf -- "$STATE/generations/$GENERATION"
      mv -T -- "$T/generation" "$STATE/generations/$GENERATION"
    fi
    if [ -d "$T/origin" ]; then
      [ ! -e "$STATE/origin" ] || rm -rf -- "$STATE/origin"
      mv -T -- "$T/origin" "$STATE/origin"
    fi
    if [ -f "$T/state.json" ]; then mv -fT -- "$T/state.json" "$STATE/state.json"; fi
    # Delete the directory that only the transaction needed and created.
    if is_listed "${RECOVERY_LINK%/*}" "$T/created"; then rmdir -- "${RECOVERY_LINK%/*}" 2>/dev/null; fi
    if [ -f "$T/all-created" ]; then mv -fT -- "$T/all-created" "$STATE/created"; fi
    stop_timer &
    stopping=$!
    prune
    note "generation $GENERATION is active ($TXN)"
  fi
  # Until the timer stops, it completes what a kill leaves half done.
  wait "$stopping"
  rm -f -- "$LOCK"
  clear_records
  # Last and in the background: while systemd reloads, every other call to it would wait. `exec`, because a shell that redirects a
  # function keeps the old descriptors, including the mutex and the pipe of the answer.
  if [ "$GENERATION" != none ]; then {
    exec >/dev/null 2>&1 </dev/null 9<&-
    forget_recovery
  } & fi
  return 0
}

# Sets `credentials` to the directories of credentials among the created directories: names without blanks. docker-tls does not manage
# their other neighbours.
find_credentials() {
  credentials=
  [ -f "$1" ] || return 0
  while IFS= read -r directory; do
    case ${directory#"$TLS_DIRECTORY/"} in '' | *[!0-9]*) ;; *) credentials="$credentials $directory" ;; esac
  done <"$1"
}

# Does a file contain a line? is_listed LINE FILE
is_listed() {
  [ -f "$2" ] || return 1
  while IFS= read -r line; do
    if [ "$line" = "$1" ]; then return 0; fi
  done <"$2"
  return 1
}

# Keeps the newest KEEP generations, and the directories of credentials that they and `current` point to.
prune() {
  numbers=
  for path in "$STATE"/generations/*; do
    case ${path##*/} in *[!0-9]*) ;; *) numbers="$numbers ${path##*/}" ;; esac
  done
  for old in $numbers; do
    newer=0
    for number in $numbers; do [ "$number" -le "$old" ] || newer=$((newer + 1)); done
    [ "$newer" -lt "$KEEP" ] || [ "$old" = "$GENERATION" ] || rm -rf -- "${STATE:?}/generations/$old"
  done
  # The second command is for busybox.
  used=$(find "$TLS_DIRECTORY" "$STATE/generations" -maxdepth 2 -type l -printf '%l\n' 2>/dev/null) ||
    used=$(find "$TLS_DIRECTORY" "$STATE/generations" -maxdepth 2 -type l -exec readlink -- {} \;) || return 0
  find_credentials "$STATE/created"
  for directory in $credentials; do
    case $NL$used$NL in *"$NL${directory##*/}$NL"*) ;; *) rm -rf -- "$directory" ;; esac
  done
}
