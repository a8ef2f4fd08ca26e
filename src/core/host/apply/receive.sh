# The records of the change, which came with the script; and whether the host is still what the plan was made from.
# Needs functions: changed fail unread_units
# Needs variables: ABSENT CONFIRM FRAGMENT KNOWN_UNITS MANAGED MANIFEST NL RECORD ROLLBACK RUN SEEN SETTINGS STAGING TXN unread
# Needs programs: chmod chown df grep head id lsattr mkdir sed sha256sum tail

# They are in a staging directory in memory at first: a reboot before the rollback is armed leaves nothing.
mkdir -m 0700 -- "$STAGING" 2>/dev/null || fail "cannot make $STAGING"
ERR=$STAGING/error
words() { head -c 2000 "$ERR" 2>/dev/null; }
# Without the help of a program, and without what our own probes and refused clients leave in dockerd's log.
plainly() { grep -v -e '^[[:space:]]' -e '^$' -e '^Usage:' -e '^Options:' -e 'TLS handshake error from'; }
# By the shell itself: a program for each would take longer than all the rest of this step. record NAME TEXT
record() { printf '%s' "$2" >"$STAGING/$1"; }
# Not $$: this runs in a subshell of the bootstrap.
read -r pid rest </proc/self/stat
{
  record rollback.sh "$ROLLBACK" && record manifest "$MANIFEST" && record managed "$MANAGED" && record state.json "$RECORD" &&
    record id "$TXN" && record pid "$pid" && record sums "$SEEN" && record created ''
} 2>/dev/null || fail "could not store the change: $(df -Pk "$RUN" | tail -n 1)"
# What the plan was made from has to be there still: lines of sha256sum, and paths where nothing was.
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
ROLLBACK_LIMIT=$LIMIT
LIMIT=$CONFIRM

# Where files can be made and not renamed (chattr +a), nothing could be taken back.
takes_renames() {
  command -v lsattr >/dev/null || return 0
  attributes=$(lsattr -d -- "$1" 2>/dev/null)
  case ${attributes%% *} in *a*)
    printf '%s can only be appended to: chattr -a %s\n' "$1" "$1" >"$ERR"
    return 1
    ;;
  esac
}

# Makes the directories above a path, with the mode given, and remembers them: make_directories DIRECTORY MODE
make_directories() {
  if [ -d "$1" ]; then
    takes_renames "$1"
    return
  fi
  make_directories "${1%/*}" 0755 || return 1
  printf '%s\n' "$1" >>"$CREATED" && mkdir -m "$2" -- "$1" 2>>"$ERR" || return 1
  # One with setgid hands on its group, and itself.
  [ ! -g "$1" ] || { chown ":$(id -g)" -- "$1" && chmod g-s -- "$1"; } 2>>"$ERR"
}
