# One change of a host, from its lock to the restarted daemon; the confirmation comes later, over a new connection.
# Standard input carries, one after the other: rollback.sh, settings, manifest, managed, state.json, seen, the four forms of
# daemon.json (when live-restore is on for a moment), then each file of the manifest whose source is `stdin`.
# Put in before this text: unread.sh, unarmed.sh, and the variables TXN WHO CONFIRM STATE LOCK UNITS FRAGMENT KNOWN_UNITS VALIDATE and the sizes
# ROLLBACK_SIZE SETTINGS_SIZE MANIFEST_SIZE MANAGED_SIZE STATE_SIZE SEEN_SIZE, and JSON_FORMS (NAME:SIZE:MODE:UID:GID each).
# It is /bin/sh of any kind: no redirection on `:`, which would end the shell where the disk is full.
# Prints `@ STEP` when a step begins, `@warning BASE64` for what the operator should know, and one last line `@result …`.
umask 077
trap '' HUP PIPE
T=$STATE/txn
STEP=lock
step() {
  STEP=$1
  printf '@ %s\n' "$1" 2>/dev/null
  # a place to stop at for tests
}
b64() { base64 | tr -d '\n'; }
# `head` may be a function here: the bootstrap (src/adapters/ssh/frame.ts) replaces one that reads more than it prints.
case $(command -v head) in
  */*) take() { timeout "$CONFIRM" head -c "$1"; } ;;
  *) take() { timeout "$CONFIRM" dd bs=1 count="$1" 2>/dev/null; } ;;
esac

# ---- lock: one change at a time
step lock
command -v flock >/dev/null 2>&1 || { printf '@result failed lock %s\n' "$(printf 'this host has no flock (of util-linux)' | b64)"; exit 0; }
exec 9<"$UNITS" || exit 1
flock -w 20 9 || { printf '@result locked %s %s\n' "$(head -c 1000 "$LOCK" 2>/dev/null | b64)" "$(date +%s)"; exit 0; }
now=$(date +%s)
if [ -e "$LOCK" ] && [ "$now" -lt "$(sed -n 's/^expires=\([0-9]\{1,12\}\)$/\1/p' "$LOCK")" ] 2>/dev/null; then
  printf '@result locked %s %s\n' "$(head -c 1000 "$LOCK" | b64)" "$now"
  exit 0
fi
STAGING=/run/docker-tls-$TXN
# Whatever ends this script before the daemon was touched leaves nothing behind.
abandon() {
  trap - EXIT
  if [ -f "$T/settings" ]; then
    undo abandoned >/dev/null 2>&1
  else
    clear_unarmed "$STAGING"
  fi
  rm -rf -- "$STAGING"
}
fail() {
  abandon
  printf '@result failed %s %s\n' "$STEP" "$(printf '%s' "$1" | b64)"
  exit 0
}
if [ -f "$T/settings" ]; then
  # A change that nobody confirmed and whose lock has expired, or that a reboot left: it goes back first. The plan that
  # is about to be carried out was made from what it left behind, so it has to be made again.
  exec 9<&-
  if sh "$T/rollback.sh" undo stale >/dev/null 2>&1; then echo '@result again'; else echo '@result blocked'; fi
  exit 0
fi
rm -rf -- "$T" /run/docker-tls-[0-9a-f]*
rm -f -- "$LOCK"
( set -C; printf 'who=%s\nsince=%s\nexpires=%s\ntransaction=%s\n' "$WHO" "$now" "$((now + CONFIRM + 60))" "$TXN" >"$LOCK" ) 2>/dev/null ||
  { printf '@result failed lock %s\n' "$(printf 'cannot write %s' "$LOCK" | b64)"; exit 0; }
trap abandon EXIT

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
  state.json:"$STATE_SIZE" seen:"$SEEN_SIZE" || fail "the change did not arrive whole: $(df -Pk /run | tail -n 1)"
# What the plan was made from has to be there still. Lines of sha256sum; `- PATH` where nothing was.
sed '/^- /d' "$STAGING/seen" >"$STAGING/sums"
if [ -s "$STAGING/sums" ] && ! sha256sum -c "$STAGING/sums" >/dev/null 2>&1; then
  fail "changed: $(sha256sum -c "$STAGING/sums" 2>/dev/null | sed -n 's/: FAILED.*$//p' | head -n 1)"
fi
sed -n 's/^- //p' "$STAGING/seen" >"$STAGING/unseen"
while IFS= read -r path; do
  if [ -e "$path" ] || [ -L "$path" ]; then fail "changed: $path"; fi
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
[ -z "$unread" ] || fail "changed: ${unread%%"$NL"*}"
ROLLBACK_LIMIT=$LIMIT
LIMIT=$CONFIRM

# Makes the directories above a path, with the mode given, and remembers them: make_directories DIRECTORY MODE
make_directories() {
  [ -d "$1" ] && return 0
  make_directories "${1%/*}" 0755 || return 1
  printf '%s\n' "$1" >>"$CREATED" && mkdir -m "$2" -- "$1" 2>>"$ERR"
}

# ---- arm: from here on the host rolls back automatically, also when this script is killed or the host reboots
step arm
make_directories "$UNITS/sysinit.target.wants" 0755 || fail "$(words)"
( umask 022
  cat >"$UNITS/docker-tls-recover.service" <<UNIT
[Unit]
Description=docker-tls: undo or finish a change that a reboot interrupted
DefaultDependencies=no
RequiresMountsFor=$STATE /etc
After=local-fs.target
Before=docker.service docker.socket docker-tls.socket sockets.target auditd.service audit-rules.service shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'if [ -f $T/settings ]; then exec /bin/sh $T/rollback.sh undo boot; fi; rm -rf $T; rmdir $STATE; rm -f $UNITS/docker-tls-recover.service $UNITS/sysinit.target.wants/docker-tls-recover.service'

[Install]
WantedBy=sysinit.target
UNIT
) 2>"$ERR" && ln -sfT ../docker-tls-recover.service "$UNITS/sysinit.target.wants/docker-tls-recover.service" 2>>"$ERR" || fail "$(words)"
# `settings` comes last: it is what makes the rollback able to act. Its content has to be on the disk before its name is: after a loss of
# power a file system may show a name whose content is not there yet.
mkdir -p -- "$T" 2>"$ERR" &&
  cp -a -- "$STAGING/rollback.sh" "$STAGING/manifest" "$STAGING/managed" "$STAGING/state.json" "$STAGING/id" "$STAGING/pid" "$STAGING/created" "$T/" 2>>"$ERR" &&
  sync "$T"/* "$UNITS/docker-tls-recover.service" "$UNITS" "$UNITS/sysinit.target.wants" "$T" 2>/dev/null &&
  cp -a -- "$STAGING/settings" "$T/settings.part" 2>>"$ERR" && { sync "$T/settings.part" 2>/dev/null || :; } &&
  mv -- "$T/settings.part" "$T/settings" 2>>"$ERR" || fail "$(words)"
CREATED=$T/created
systemd-run --quiet --collect --unit="docker-tls-undo-$TXN" --on-active="${CONFIRM}s" --timer-property=AccuracySec=100ms \
  /bin/sh "$T/rollback.sh" undo timer 2>"$ERR" || fail "$(words)"
ERR=$T/error
rm -rf -- "$STAGING"

# ---- stage: everything that is needed lies on the host before anything changes
step stage
# What comes on stdin becomes a file with its final mode and owner: arrive SIZE MODE OWNER PATH
arrive() {
  ( umask "$(printf '%04o' $((0777 & ~0$2)))"; take "$1" >"$4" ) 2>"$ERR" || return 1
  [ "$3" = 0:0 ] || chown "$3" -- "$4" 2>>"$ERR" || return 1
  # What `>` cannot give: x, s and t; and chown takes s away.
  case $2 in 0[0246][0246][0246]) ;; *) chmod "$2" -- "$4" 2>>"$ERR" ;; esac
}
if [ -n "$JSON_FORMS" ]; then
  make_directories "${DAEMON_JSON%/*}" 0755 || fail "$(words)"
  rm -f -- "$DAEMON_JSON.docker-tls-old-on" "$DAEMON_JSON.docker-tls-old-off" "$DAEMON_JSON.docker-tls-new-on" "$DAEMON_JSON.docker-tls-new-off"
  sizes=
  set --
  for form in $JSON_FORMS; do
    name=${form%%:*} form=${form#*:}
    size=${form%%:*} form=${form#*:}
    arrive "$size" "${form%%:*}" "${form#*:}" "$DAEMON_JSON.docker-tls-$name" || fail "$(words)"
    set -- "$@" "$DAEMON_JSON.docker-tls-$name"
    sizes="$sizes$size$NL"
  done
  [ "$(stat -c %s -- "$@")$NL" = "$sizes" ] || fail "could not store $DAEMON_JSON: $(df -Pk "${DAEMON_JSON%/*}" | tail -n 1)"
  set --
fi
true >"$T/sums"
# A file comes from stdin, from a snapshot on this host, from another file of this host, or is a second name of what lies there (if anything does).
place_new() { # MODE OWNER SOURCE TARGET
  if [ -e "$4" ] || [ -L "$4" ]; then rm -f -- "$4"; fi
  case $3 in
    stdin:*)
      size=${3#stdin:}
      printf '%s  %s\n' "${size#*:}" "$4" >>"$T/sums"
      arrive "${size%%:*}" "$1" "$2" "$4" || return 1
      ;;
    same)
      now=${4%.docker-tls-new}
      if [ -e "$now" ] || [ -L "$now" ]; then ln -P -- "$now" "$4" 2>/dev/null || copy "$now" "$4" 2>"$ERR"; fi
      ;;
    snap:*) copy "${3#snap:}" "$4" 2>"$ERR" ;;
    copy:*) ( umask "$(printf '%04o' $((0777 & ~0$1)))"; cat -- "${3#copy:}" >"$4" ) 2>"$ERR" ;;
    *) echo "unknown source" >"$ERR"; return 1 ;;
  esac
}
while IFS=$TAB read -r index kind mode owner source path <&3; do
  case $kind in
    blob)
      make_directories "${path%/*}" 0700 || fail "$(words)"
      place_new "$mode" "$owner" "$source" "$path" || fail "$(words)"
      ;;
    file)
      make_directories "${path%/*}" 0755 || fail "$(words)"
      place_new "$mode" "$owner" "$source" "$path.docker-tls-new" || fail "$(words)"
      ;;
    link)
      make_directories "${path%/*}" 0755 || fail "$(words)"
      ln -sfT -- "${source#to:}" "$path.docker-tls-new" 2>"$ERR" || fail "$(words)"
      ;;
  esac
done 3<"$T/manifest"
if [ -s "$T/sums" ] && ! sha256sum -c "$T/sums" >/dev/null 2>&1; then
  fail "what was sent did not arrive whole: $(df -Pk "$TLS_DIRECTORY" "$UNITS" 2>/dev/null | sed 1d | sort -u)"
fi
if [ -n "$VALIDATE" ]; then
  step validate
  # Without the pages of help that dockerd prints after a wrong flag.
  sh -c "$VALIDATE" >"$ERR" 2>&1 </dev/null || fail "$(plainly <"$ERR" | head -c 2000)"
fi

# ---- keep: the originals beside their places, and, the first time, in the origin
step keep
mkdir -p "$T/origin" 2>"$ERR" || fail "$(words)"
for path in "$STATE"/origin/*; do
  if [ -e "$path" ] || [ -L "$path" ]; then copy "$path" "$T/origin/${path##*/}" 2>"$ERR" || fail "$(words)"; fi
done
# Whether docker ran before the first change belongs to the origin as well.
if [ "$WAS_ACTIVE" = yes ]; then was=active; else was=inactive; fi
if [ ! -f "$T/origin/manifest" ]; then
  # The records were deleted by hand, and credentials of ours lie there: their directory goes with us one day.
  left=$(readlink -- "$TLS_DIRECTORY/current" 2>/dev/null)
  case $left in
    '' | *[!0-9]*) ;;
    *) printf '%s\n' "$TLS_DIRECTORY" "$TLS_DIRECTORY/$left" "$UNITS/docker.service.d" >>"$CREATED" || fail "$(df -Pk "$STATE" | tail -n 1)" ;;
  esac
fi
[ -f "$T/origin/manifest" ] || printf '0\tunit\t%s\t-\tdocker.service\n' "$was" >"$T/origin/manifest" || fail "$(df -Pk "$STATE" | tail -n 1)"
known=$NL$(cut -f 5 "$T/origin/manifest")$NL
count=$(wc -l <"$T/origin/manifest")
# What cannot have a second name (a mount, an immutable file) may not be replaceable either, which the rollback could not fix: it gets
# a copy, and the very same contents take its place for a try.
keep_copy() {
  rm -f -- "$1.docker-tls-old" "$1.docker-tls-tmp" &&
    copy "$1" "$1.docker-tls-old" && copy "$1" "$1.docker-tls-tmp" && mv -fT -- "$1.docker-tls-tmp" "$1"
}
true >"$T/kept.part" || fail "$(df -Pk "$STATE" | tail -n 1)"
while IFS=$TAB read -r index kind mode owner source path <&3; do
  line=
  case $kind in
    file | link | absent)
      if [ -e "$path.docker-tls-tmp" ]; then rm -f -- "$path.docker-tls-tmp" 2>"$ERR" || fail "$(words)"; fi
      if [ -L "$path" ] || [ -e "$path" ]; then
        # A second name of the same file: nothing to copy, nothing to lose. What changes it later is a rename.
        ln -fPT -- "$path" "$path.docker-tls-old" 2>/dev/null || keep_copy "$path" 2>"$ERR" || fail "$path cannot be replaced: $(words)"
        if [ -L "$path" ]; then was='link'; else was='file'; fi
        line="$index$TAB$was$TAB-$TAB-$TAB$path"
      else
        line="$index${TAB}absent$TAB-$TAB-$TAB$path"
      fi
      ;;
    attributes)
      # Somebody took the file away since: there is nothing to keep.
      [ -e "$path" ] || continue
      line="$index${TAB}attributes$TAB$(stat -L -c "%a${TAB}%u:%g" -- "$path")$TAB$path"
      ;;
    member)
      if is_member "$path"; then was=present; else was=absent; fi
      line="$index${TAB}member$TAB$was$TAB-$TAB$path"
      ;;
    *) continue ;;
  esac
  printf '%s\n' "$line" >>"$T/kept.part" 2>"$ERR" || fail "$(words)"
  # What is only held for a moment is not ours: its origin is whatever it is on the day when a change writes it.
  [ "$source" != same ] || continue
  case $known in
    *"$NL$path$NL"*) ;;
    *)
      count=$((count + 1))
      case $path in
        # Nobody else has files of these names: what lies there without an origin is ours, from before the records were deleted.
        "$TLS_DIRECTORY/current" | "$UNITS/docker-tls.socket" | "$UNITS/sockets.target.wants/docker-tls.socket" | \
          "$UNITS/docker.service.d/zz-docker-tls.conf" | "$UNITS/docker.service.d/~"*zz-docker-tls.conf)
          printf '%s\tabsent\t-\t-\t%s\n' "$count" "$path" >>"$T/origin/manifest" 2>"$ERR" || fail "$(words)"
          ;;
        *) snapshot_path "$T/origin" "$count" "$kind" "$path" 2>"$ERR" || fail "$(words)" ;;
      esac
      ;;
  esac
done 3<"$T/manifest"
mv -- "$T/kept.part" "$T/kept" || fail "could not keep the originals"
# What the rollback needs has to be on the disk, and not only in memory, before anything changes.
set -- "$T/kept" "$T/created"
while IFS=$TAB read -r index kind mode owner source path <&3; do
  if [ -f "$path.docker-tls-new" ] && [ ! -L "$path.docker-tls-new" ]; then set -- "$@" "$path.docker-tls-new"; fi
  if [ "$kind" = blob ]; then set -- "$@" "$path"; fi
done 3<"$T/manifest"
sync "$@" "$T"/origin/* "$T/origin" "$T" 2>/dev/null
set --

# What sshd will do for root and for the operator, beside what our drop-in says: a line elsewhere may win over it.
compare_sshd() {
  [ -f "$SSHD_DROP_IN" ] || return 0
  for user in $(printf '%s\n' root "$OPERATOR" | sort -u); do
    effective_sshd -C "user=$user,host=localhost,addr=127.0.0.1" 2>/dev/null >"$T/sshd-$user" || continue
    sed -n 's/^\([A-Z][A-Za-z]*\) \([A-Za-z0-9-]*\)$/\1 \2/p' "$SSHD_DROP_IN" | while read -r key value; do
      # prohibit-password has an older name.
      now=$(sed -n "s/^$key //Ip" "$T/sshd-$user" | sed 's/^without-password$/prohibit-password/')
      [ -z "$now" ] || printf '%s' "$now" | grep -qixF -- "$value" ||
        warn "sshd: for $user $key is $now and not $value: another line (sshd -T -C user=$user), or an option of sshd's own command line, wins over $SSHD_DROP_IN"
    done
  done
}

# ---- from here on something changes: every failure goes through the rollback
SINCE=$(date +%s)
back() {
  trap - EXIT
  # The change had to start its daemon in the time for its confirmation; what ran before gets the time that it needs.
  LIMIT=$ROLLBACK_LIMIT
  lines=$(timeout 10 journalctl -u docker.service -u docker-tls.socket --since "@$SINCE" -n 400 --no-pager -o cat 2>/dev/null | plainly | tail -n 30 | tail -c 8000 | b64)
  if undo failed >/dev/null 2>&1; then how=back; else how=stuck; fi
  printf '@result %s %s %s %s %s\n' "$how" "$STEP" "$(printf '%s' "$1" | b64)" "${lines:--}" "$(printf '%s' "$REMARK" | b64)"
  exit 0
}
trap - EXIT
if [ "$AUDIT" = load ]; then keep_audit_rules; fi
if [ "$DAEMON" = restart ]; then
  missing=$(missing_programs)
  [ -z "$missing" ] || fail "dockerd would not start again: ${missing%; }"
fi
mark switched || fail "could not write $T"
sync "$T" 2>/dev/null
if [ "$LIVE_RESTORE" = temporary ]; then
  step protect
  mark protected
  place_as "$DAEMON_JSON" old-on 2>"$ERR" || back "$(words)"
  reload_live_restore true 2>"$ERR" || back "the daemon did not take in live-restore: $(words)"
fi
step switch
while IFS=$TAB read -r index kind mode owner source path <&3; do
  if [ "$LIVE_RESTORE" = temporary ] && [ "$path" = "$DAEMON_JSON" ]; then
    place_as "$path" new-on 2>"$ERR" || back "$(words)"
    continue
  fi
  case $path in "$UNITS"/*) mark units-changed ;; esac
  case $kind in
    file | link)
      if [ "$path" = "$UNITS/docker-tls.socket" ] && ! cmp -s "$path" "$path.docker-tls-new"; then mark socket-changed; fi
      place_as "$path" new 2>"$ERR" || back "$(words)"
      ;;
    absent) rm -f -- "$path" 2>"$ERR" || back "$(words)" ;;
    attributes) [ ! -e "$path" ] || { chmod "$mode" -- "$path" && chown "$owner" -- "$path"; } 2>"$ERR" || back "$(words)" ;;
    member) set_member "$mode" "$path" 2>"$ERR" || back "$(words)" ;;
  esac
done 3<"$T/manifest"
sync "$UNITS" /etc/docker 2>/dev/null
if [ "$SSHD" = reload ]; then
  step check-sshd
  sshd -t 2>"$ERR" || back "sshd does not accept its configuration: $(words)"
  compare_sshd
fi
mark services
if [ "$DAEMON" = none ]; then step services; else step "$DAEMON"; fi
if [ "$DAEMON" = stop ]; then how=stop; else how=start; fi
apply_services "$how" 2>"$ERR" || back "$(words)"
case $DAEMON in
  none | stop) ;;
  *) systemctl -q is-active docker.service || back "docker.service is not active" ;;
esac
printf '@result switched\n'
