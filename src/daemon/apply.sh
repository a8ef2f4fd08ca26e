# One change of a host, from its lock to the restarted daemon; the confirmation comes later, over a new connection.
# Standard input carries, one after the other: way-back.sh, settings, manifest, managed, state.json, the four forms of
# daemon.json (when live-restore is on for a moment), then each file of the manifest whose source is `stdin`.
# Variables put in before this text: TXN WHO CONFIRM STATE LOCK UNITS VALIDATE and the sizes
# WAY_BACK_SIZE SETTINGS_SIZE MANIFEST_SIZE MANAGED_SIZE STATE_SIZE JSON_SIZES.
# It is /bin/sh of any kind: no redirection on `:`, which would end the shell where the disk is full.
# Prints `@ STEP` when a step begins, and one last line `@result …`.
umask 077
export LC_ALL=C
trap '' HUP PIPE
T=$STATE/txn
STEP=lock
step() { STEP=$1; printf '@ %s\n' "$1" 2>/dev/null; }
b64() { base64 | tr -d '\n'; }
take() { timeout "$CONFIRM" head -c "$1"; }

# ---- lock: one change at a time
step lock
exec 9<"$UNITS" || exit 1
flock -w 20 9 || { printf '@result locked %s\n' "$(head -c 1000 "$LOCK" 2>/dev/null | b64)"; exit 0; }
now=$(date +%s)
if [ -e "$LOCK" ] && [ "$now" -lt "$(sed -n 's/^expires=\([0-9]\{1,12\}\)$/\1/p' "$LOCK")" ] 2>/dev/null; then
  printf '@result locked %s\n' "$(head -c 1000 "$LOCK" | b64)"
  exit 0
fi
if [ -f "$T/way-back.sh" ] && [ -f "$T/settings" ]; then
  # A change that nobody confirmed and whose lock has expired, or that a reboot left: it goes back first.
  exec 9<&-
  sh "$T/way-back.sh" undo stale >/dev/null 2>&1
  exec 9<"$UNITS"
  flock -w 20 9
fi
if [ -e "$T" ]; then rm -rf -- "$T"; fi
rm -f -- "$LOCK"
( set -C; printf 'who=%s\nsince=%s\nexpires=%s\ntransaction=%s\n' "$WHO" "$now" "$((now + CONFIRM + 60))" "$TXN" >"$LOCK" ) 2>/dev/null ||
  { printf '@result failed lock %s\n' "$(printf 'cannot write %s' "$LOCK" | b64)"; exit 0; }
SETTINGS_READY=no
# Whatever ends this script before the daemon was touched leaves nothing behind.
abandon() {
  if [ "$SETTINGS_READY" = yes ]; then undo abandoned >/dev/null 2>&1; else rm -rf -- "$T"; rmdir -- "$STATE" 2>/dev/null; rm -f -- "$LOCK"; fi
}
fail() {
  trap - EXIT
  abandon
  printf '@result failed %s %s\n' "$STEP" "$(printf '%s' "$1" | b64)"
  exit 0
}
trap abandon EXIT

# ---- stage: everything that is needed lies on the host before anything changes
mkdir -p -- "$T" 2>"/run/docker-tls-$TXN.err" || { E=$(cat "/run/docker-tls-$TXN.err"); rm -f "/run/docker-tls-$TXN.err"; STEP=stage; fail "$E"; }
rm -f "/run/docker-tls-$TXN.err"
step stage
receive() { # SIZE FILE
  take "$1" >"$2" 2>/dev/null && [ "$(stat -c %s -- "$2")" = "$1" ]
}
ERR=$T/error
words() { head -c 2000 "$ERR" 2>/dev/null; }
receive "$WAY_BACK_SIZE" "$T/way-back.sh" && receive "$SETTINGS_SIZE" "$T/settings" && receive "$MANIFEST_SIZE" "$T/manifest" &&
  receive "$MANAGED_SIZE" "$T/managed" && receive "$STATE_SIZE" "$T/state.json" || fail "could not store the change on the host: $(df -Pk "$STATE" | tail -n 1)"
{ printf '%s' "$TXN" >"$T/id" && printf '%s' "$$" >"$T/pid"; } || fail "could not write $T"
. "$T/settings"
set -- # no verb: only the functions
. "$T/way-back.sh"
SETTINGS_READY=yes
true >"$T/created"

# Makes the folders above a path, with the mode given, and remembers them: make_folders FOLDER MODE
make_folders() {
  [ -d "$1" ] && return 0
  make_folders "${1%/*}" 0755 || return 1
  printf '%s\n' "$1" >>"$T/created" && mkdir -m "$2" -- "$1" 2>>"$ERR"
}

# ---- arm: from here on the host goes back on its own, also when this script is killed or the host reboots
step arm
make_folders "$UNITS/sysinit.target.wants" 0755
( umask 022
  cat >"$UNITS/docker-tls-recover.service" <<UNIT
[Unit]
Description=docker-tls: undo or finish a change that a reboot interrupted
DefaultDependencies=no
RequiresMountsFor=$STATE /etc
After=local-fs.target
Before=docker.service docker.socket docker-tls.socket sockets.target shutdown.target
Conflicts=shutdown.target
ConditionPathExists=$T/way-back.sh

[Service]
Type=oneshot
ExecStart=/bin/sh $T/way-back.sh undo boot

[Install]
WantedBy=sysinit.target
UNIT
) 2>"$ERR" && ln -sfT ../docker-tls-recover.service "$UNITS/sysinit.target.wants/docker-tls-recover.service" 2>>"$ERR" || fail "$(words)"
systemd-run --quiet --collect --unit="docker-tls-undo-$TXN" --on-active="${CONFIRM}s" --timer-property=AccuracySec=100ms \
  /bin/sh "$T/way-back.sh" undo timer 2>"$ERR" || fail "$(words)"

step stage
for pair in $JSON_SIZES; do # NAME:SIZE
  make_folders "${DAEMON_JSON%/*}" 0755 || fail "$(words)"
  ( umask 022; take "${pair#*:}" >"$DAEMON_JSON.docker-tls-${pair%%:*}" ) 2>"$ERR" || fail "$(words)"
  [ "$(stat -c %s -- "$DAEMON_JSON.docker-tls-${pair%%:*}")" = "${pair#*:}" ] || fail "could not store $DAEMON_JSON: $(df -Pk "${DAEMON_JSON%/*}" | tail -n 1)"
done
# A file arrives with its final mode, from stdin, from a snapshot on this host, or from another file of this host.
place_new() { # MODE OWNER SOURCE TARGET
  rm -f -- "$4"
  case $3 in
    stdin:*)
      size=${3#stdin:}
      sum=${size#*:}
      size=${size%%:*}
      ( umask "$(printf '%04o' $((0777 & ~0$1)))"; take "$size" >"$4" ) 2>"$ERR" || return 1
      [ "$(sha256sum <"$4" | cut -d ' ' -f 1)" = "$sum" ] || { echo "$4 did not arrive whole: $(df -Pk "${4%/*}" | tail -n 1)" >>"$ERR"; return 1; }
      [ "$2" = 0:0 ] || chown "$2" -- "$4" 2>>"$ERR" || return 1
      chmod "$1" -- "$4" 2>>"$ERR"
      ;;
    snap:*) cp -a -- "${3#snap:}" "$4" 2>"$ERR" ;;
    copy:*)
      ( umask "$(printf '%04o' $((0777 & ~0$1)))"; cat -- "${3#copy:}" >"$4" ) 2>"$ERR"
      ;;
    *) echo "unknown source" >"$ERR"; return 1 ;;
  esac
}
while IFS=$TAB read -r index kind mode owner source path <&3; do
  case $kind in
    blob)
      make_folders "${path%/*}" 0700 || fail "$(words)"
      place_new "$mode" "$owner" "$source" "$path" || fail "$(words)"
      ;;
    file)
      make_folders "${path%/*}" 0755 || fail "$(words)"
      place_new "$mode" "$owner" "$source" "$path.docker-tls-new" || fail "$(words)"
      ;;
    link)
      make_folders "${path%/*}" 0755 || fail "$(words)"
      ln -sfT -- "${source#to:}" "$path.docker-tls-new" 2>"$ERR" || fail "$(words)"
      ;;
  esac
done 3<"$T/manifest"
if [ -n "$VALIDATE" ]; then
  step validate
  sh -c "$VALIDATE" >"$ERR" 2>&1 </dev/null || fail "$(words)"
fi

# ---- keep: the originals beside their places, and, the first time, in the origin
step keep
mkdir -p "$T/origin" && { [ ! -d "$STATE/origin" ] || cp -a "$STATE/origin/." "$T/origin/"; } 2>"$ERR" || fail "$(words)"
[ -f "$T/origin/manifest" ] || true >"$T/origin/manifest"
count=$(wc -l <"$T/origin/manifest")
true >"$T/kept.part"
while IFS=$TAB read -r index kind mode owner source path <&3; do
  case $kind in
    file | link | absent)
      if [ -L "$path" ] || [ -e "$path" ]; then
        rm -f -- "$path.docker-tls-old"
        cp -a -- "$path" "$path.docker-tls-old" 2>"$ERR" || fail "$(words)"
        if [ -L "$path" ]; then was='link'; else was='file'; fi
        printf '%s\t%s\t-\t-\t%s\n' "$index" "$was" "$path" >>"$T/kept.part"
      else
        printf '%s\tabsent\t-\t-\t%s\n' "$index" "$path" >>"$T/kept.part"
      fi
      ;;
    attributes) printf '%s\tattributes\t%s\t%s\n' "$index" "$(stat -c "%a${TAB}%u:%g" -- "$path")" "$path" >>"$T/kept.part" ;;
    member)
      if is_member "$path"; then was=present; else was=absent; fi
      printf '%s\tmember\t%s\t-\t%s\n' "$index" "$was" "$path" >>"$T/kept.part"
      ;;
  esac
  case $kind in
    blob) ;;
    *)
      if ! cut -f 5 "$T/origin/manifest" | grep -qxF -- "$path"; then
        count=$((count + 1))
        snapshot_path "$T/origin" "$count" "$kind" "$path" 2>"$ERR" || fail "$(words)"
      fi
      ;;
  esac
done 3<"$T/manifest"
mv -- "$T/kept.part" "$T/kept" || fail "could not keep the originals"
find "$T" -type f -exec sync {} + 2>/dev/null

# ---- from here on something changes: every failure goes through the way back
SINCE=$(date +%s)
back() {
  trap - EXIT
  lines=$(timeout 10 journalctl -u docker.service -u docker-tls.socket --since "@$SINCE" -n 30 --no-pager -o cat 2>/dev/null | tail -c 8000 | b64)
  if undo failed >/dev/null 2>&1; then how=back; else how=stuck; fi
  printf '@result %s %s %s %s\n' "$how" "$STEP" "$(printf '%s' "$1" | b64)" "${lines:--}"
  exit 0
}
trap - EXIT
[ -e "$T/manifest" ] || { printf '@result failed %s %s\n' "$STEP" "$(printf 'the way back had already run' | b64)"; exit 0; }
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
  case $kind in
    file | link)
      if [ "$path" = "$UNITS/docker-tls.socket" ] && ! cmp -s "$path" "$path.docker-tls-new"; then mark socket-changed; fi
      place_as "$path" new 2>"$ERR" || back "$(words)"
      ;;
    absent) rm -f -- "$path" 2>"$ERR" || back "$(words)" ;;
    attributes) { chmod "$mode" -- "$path" && chown "$owner" -- "$path"; } 2>"$ERR" || back "$(words)" ;;
    member) set_member "$mode" "$path" 2>"$ERR" || back "$(words)" ;;
  esac
done 3<"$T/manifest"
sync "$UNITS" /etc/docker 2>/dev/null
if [ "$SSHD" = reload ]; then
  step check-sshd
  sshd -t 2>"$ERR" || back "sshd does not accept its configuration: $(words)"
fi
mark services
if [ "$DAEMON" = none ]; then step services; else step "$DAEMON"; fi
apply_services 2>"$ERR" || back "$(words)"
[ "$DAEMON" = none ] || systemctl -q is-active docker.service || back "docker.service is not active"
printf '@result switched\n'
