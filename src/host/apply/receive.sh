# The records of the change, from standard input; and whether the host is still what the plan was made from.
# Needs functions: changed fail take unread_units
# Needs variables: CONFIRM FRAGMENT KNOWN_UNITS MANAGED_SIZE MANIFEST_SIZE NL ROLLBACK_SIZE RUN SEEN_SIZE SETTINGS_SIZE
# Needs variables: STAGING STATE_SIZE TXN
# Needs programs: chmod chown df grep head id lsattr mkdir rm sed sh sha256sum stat tail

# The records of the change arrive in a staging directory in memory: a reboot before the rollback is armed leaves nothing.
mkdir -m 0700 -- "$STAGING" 2>/dev/null || fail "cannot make $STAGING"
ERR=$STAGING/error
words() { head -c 2000 "$ERR" 2>/dev/null; }
plainly() { grep -v -e '^[[:space:]]' -e '^$' -e '^Usage:' -e '^Options:'; }
receive() { # FILE:SIZE…
  for book in "$@"; do take "${book##*:}" >"$STAGING/${book%:*}" 2>/dev/null || return 1; done
  [ "$(cd "$STAGING" && stat -c %n:%s rollback.sh settings manifest managed state.json seen)" = "$(printf '%s\n' "$@")" ]
}
receive rollback.sh:"$ROLLBACK_SIZE" settings:"$SETTINGS_SIZE" manifest:"$MANIFEST_SIZE" managed:"$MANAGED_SIZE" \
  state.json:"$STATE_SIZE" seen:"$SEEN_SIZE" || fail "the change did not arrive whole: $(df -Pk "$RUN" | tail -n 1)"
# What the plan was made from has to be there still. Lines of sha256sum; `- PATH` where nothing was.
sed '/^- /d' "$STAGING/seen" >"$STAGING/sums"
if [ -s "$STAGING/sums" ] && ! sha256sum -c "$STAGING/sums" >/dev/null 2>&1; then
  changed "$(sha256sum -c "$STAGING/sums" 2>/dev/null | sed -n 's/: FAILED.*$//p' | head -n 1)"
fi
sed -n 's/^- //p' "$STAGING/seen" >"$STAGING/unseen"
while IFS= read -r path; do
  if [ -e "$path" ] || [ -L "$path" ]; then changed "$path"; fi
done <"$STAGING/unseen"
rm -f -- "$STAGING/unseen" "$STAGING/sums"
printf '%s' "$TXN" >"$STAGING/id"
# Not $$: this runs in a subshell of the bootstrap.
sh -c 'printf "%s" "$PPID"' >"$STAGING/pid"
true >"$STAGING/created"
CREATED=$STAGING/created
. "$STAGING/settings"
set -- # no verb: only the functions
. "$STAGING/rollback.sh"
unread=$(unread_units "$FRAGMENT" "$KNOWN_UNITS")
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
