# Records of the change, which came with the script, and the check that the host still matches the plan.
# Needs functions: changed fail look_ahead unread_units
# Needs variables: ABSENT CONFIRM FRAGMENT KNOWN_UNITS MANAGED MANIFEST NL RECORD ROLLBACK RUN SEEN SETTINGS STAGING TXN unread
# Needs programs: chmod chown cp df grep head id lsattr mkdir rm sed sha256sum tail

# Staged in memory first: a reboot before the rollback is armed leaves nothing.
mkdir -m 0700 -- "$STAGING" 2>/dev/null || fail "cannot make $STAGING"
ERR=$STAGING/error
words() { head -c 2000 "$ERR" 2>/dev/null; }
# Without dockerd's help text, and without log lines about probes and rejected clients.
plainly() { grep -v -e '^[[:space:]]' -e '^$' -e '^Usage:' -e '^Options:' -e 'TLS handshake error from'; }
# record NAME TEXT, by a builtin: one process per record would take longer than the rest of this step.
record() { printf '%s' "$2" >"$STAGING/$1"; }
# Not $$, because this runs in a subshell of the bootstrap.
read -r pid rest </proc/self/stat
{
  record rollback.sh "$ROLLBACK" && record manifest "$MANIFEST" && record managed "$MANAGED" && record state.json "$RECORD" &&
    record id "$TXN" && record pid "$pid" && record sums "$SEEN" && record created ''
} 2>/dev/null || fail "could not store the change: $(df -Pk "$RUN" | tail -n 1)"
# Checks that the host still matches the plan: lines of sha256sum, and paths that must still be absent.
if [ -n "$SEEN" ] && ! sha256sum -c "$STAGING/sums" >/dev/null 2>&1; then
  changed "$(sha256sum -c "$STAGING/sums" 2>/dev/null | sed -n 's/: FAILED.*$//p' | head -n 1)"
fi
while IFS= read -r path; do
  [ -n "$path" ] || continue
  if [ -e "$path" ] || [ -L "$path" ]; then changed "$path"; fi
done <<PATHS
$ABSENT
PATHS
CREATED=$STAGING/created
eval "$SETTINGS"
set -- # no verb: only the functions
eval "$ROLLBACK"
unread_units "$FRAGMENT" "$KNOWN_UNITS"
[ -z "$unread" ] || changed "${unread%%"$NL"*}"
# Inspects the daemon in the background, because it is slow.
(
  exec 9<&- >/dev/null 2>&1
  T=$STAGING
  look_ahead
) &
look=$!

# Waits for the inspection of the daemon, and copies its results to the records of the change; with -p, as in arm.sh.
take_findings() {
  wait "$look"
  set --
  for name in shown looked containers idle daemon local; do
    if [ -e "$STAGING/$name" ]; then set -- "$@" "$STAGING/$name"; fi
  done
  [ $# = 0 ] || cp -p -- "$@" "$T/" 2>"$ERR" || return 1
  rm -rf -- "$STAGING" 9<&- &
}
ROLLBACK_LIMIT=$LIMIT
LIMIT=$CONFIRM

# A directory that allows new files but no renames (chattr +a) would make a rollback impossible. Each is looked at once.
renamable=$NL
takes_renames() {
  case $renamable in *"$NL$1$NL"*) return 0 ;; esac
  command -v lsattr >/dev/null || return 0
  attributes=$(lsattr -d -- "$1" 2>/dev/null)
  case ${attributes%% *} in *a*)
    printf '%s can only be appended to: chattr -a %s\n' "$1" "$1" >"$ERR"
    return 1
    ;;
  esac
  renamable=$renamable$1$NL
}

# Creates the missing parent directories with this mode, and records them: make_directories DIRECTORY MODE
make_directories() {
  if [ -d "$1" ]; then
    takes_renames "$1"
    return
  fi
  make_directories "${1%/*}" 0755 || return 1
  printf '%s\n' "$1" >>"$CREATED" && mkdir -m "$2" -- "$1" 2>>"$ERR" || return 1
  # A setgid parent passes on its group and the setgid bit.
  [ ! -g "$1" ] || { chown ":$(id -g)" -- "$1" && chmod g-s -- "$1"; } 2>>"$ERR"
}
