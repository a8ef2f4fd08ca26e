# Activation of the change. From this point, every failure goes through the rollback.
# Needs functions: apply_services await_protection fail is_up keep_generation last_words look_back mark missing_programs of_parts place_as
# Needs functions: plainly reload_live_restore result step take_findings undo warn words
# Needs variables: CREATED DAEMON DAEMON_JSON LIVE_RESTORE MANAGED NL REMARK ROLLBACK_LIMIT SERVICE SINCE T TAB TLS_DIRECTORY UNITS VALIDATE
# Needs variables: missing timer validation
# Needs programs: cmp head mv restorecon rm selinuxenabled sync tail

# Resets SELinux labels to the policy: new files inherit the label of their directory. Restored files keep their own label, even if it
# differs from the policy.
restore_labels() {
  selinuxenabled 2>/dev/null || return 0
  set --
  # containerd creates its directories only when it starts.
  while IFS= read -r path <&3; do [ ! -e "$path" ] || set -- "$@" "$path"; done 3<"$CREATED"
  while IFS=$TAB read -r index kind mode owner source path <&3; do
    case $kind:$source in
      *:snap:* | *:same) ;;
      blob:* | file:* | link:*) set -- "$@" "$path" ;;
    esac
  done 3<"$T/manifest"
  [ $# -gt 0 ] || return 0
  # restorecon's SELinux domain may write to a pipe, but not to a file of docker-tls.
  output=$(restorecon -- "$@" 2>&1) || {
    printf '%s\n' "$output" >"$ERR"
    warn "restorecon failed: $(words)"
  }
}

back() {
  trap - EXIT
  for job in $protection $generation; do wait "$job"; done
  protection=
  # The new daemon had to start within the confirmation deadline; the original one gets the full limit.
  LIMIT=$ROLLBACK_LIMIT
  lines=$(last_words "$SINCE" | plainly | tail -n 30 | tail -c 8000)
  # If the shell cannot open this file, it would not even start the rollback.
  said=$T/undo-error
  { true >"$said"; } 2>/dev/null || said=/dev/null
  if undo failed >/dev/null 2>"$said"; then
    result rolled-back "$STEP" "$1" "$lines" "$REMARK"
  else
    # The reason: what failed in the rollback, and the daemon's log so far.
    result stuck "$STEP" "$1" "$({ last_words "$SINCE" | plainly | tail -n 30 && tail -n 5 -- "$said"; } | tail -c 8000)"
  fi
  exit 0
}
wait "$timer" || {
  ERR=$T/timer-error
  STEP=arm
  fail "$(words)"
}
if [ -n "$VALIDATE" ]; then
  # Without the help text that dockerd prints after a wrong flag.
  wait "$validation" || {
    STEP=validate
    fail "$(plainly <"$T/validation" | head -c 2000)"
  }
fi
trap - EXIT
generation='' early=yes
of_parts keep
take_findings || fail "$(words)"
look_back
if [ "$DAEMON" = restart ]; then
  missing_programs
  [ -z "$missing" ] || fail "dockerd would not start again: ${missing%; }"
fi
mark switched || fail "could not write $T"
sync "$T" 2>/dev/null
if [ "$LIVE_RESTORE" = temporary ]; then
  step protect
  mark protected
  place_as "$DAEMON_JSON" old-on 2>"$ERR" || back "$(words)"
  # It only waits, and must not keep a rollback waiting for the mutex.
  {
    exec 9<&-
    reload_live_restore true
  } 2>"$T/protect-error" &
  protection=$!
fi
step switch
while IFS=$TAB read -r index kind mode owner source path <&3; do
  # daemon.json follows once live-restore is active (await_protection).
  if [ "$LIVE_RESTORE" = temporary ] && [ "$path" = "$DAEMON_JSON" ]; then continue; fi
  case $path in "$UNITS"/*) mark units-changed ;; esac
  case $kind:$path in
    *:"$UNITS/"*/*) ;;
    file:"$UNITS/"*.socket | link:"$UNITS/"*.socket) cmp -s "$path" "$path.docker-tls-new" || mark "${path##*/}-changed" ;;
  esac
  case $kind in
    blob) ;;
    file) place_as "$path" new 2>"$ERR" || back "$(words)" ;;
    # A link created by this change needs no copy, because nothing restores it. When mv fails (busybox, link to a directory), place_as
    # takes over.
    link) mv -fT -- "$path.docker-tls-new" "$path" 2>/dev/null || place_as "$path" new 2>"$ERR" || back "$(words)" ;;
    absent) rm -f -- "$path" 2>"$ERR" || back "$(words)" ;;
    *) "set_$kind" "$mode" "$owner" "$path" 2>"$ERR" || back "$(words)" ;;
  esac
done 3<"$T/manifest"
restore_labels
sync "$UNITS" "${TLS_DIRECTORY%/*}" 2>/dev/null
of_parts check || back "$(words)"
mark services
# The files are in place: the generation is kept while the daemon takes in live-restore and restarts, unless one of its files is only
# temporary. The confirmation retries a failure. This job holds the mutex, like every write below $T, and ends before the result.
case $early:$LIVE_RESTORE:$NL$MANAGED in
  no:* | *:temporary:*"$TAB$DAEMON_JSON$NL"*) ;;
  *)
    (keep_generation && mark generation-kept) >/dev/null 2>&1 &
    generation=$!
    ;;
esac
# Otherwise the wait overlaps with daemon-reload (apply_daemon).
if [ "$DAEMON" = none ] || [ ! -e "$T/units-changed" ]; then await_protection 2>"$ERR" || back "$(words)"; fi
if [ "$DAEMON" = none ]; then step services; else step "$DAEMON"; fi
if [ "$DAEMON" = stop ]; then how=stop; else how=start; fi
apply_services "$how" 2>"$ERR"
applied=$?
[ -z "$generation" ] || wait "$generation"
[ "$applied" = 0 ] || back "$(words)"
if [ "$DAEMON" = reload ]; then is_up || back "$SERVICE is not active"; fi
# switched: not reported yet
result switched
