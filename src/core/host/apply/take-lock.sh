# The host lock: one change at a time. A run that took the lock to issue a certificate for this change keeps it.
# Needs functions: lost_guard result
# Needs variables: LOCK RUN STATE TXN WHO
# Needs programs: date flock grep head rm sed sh

T=$STATE/txn

# Takes the lock for some seconds of the host's clock, or ends the script: take_lock SECONDS
take_lock() {
  exec 9<"$RUN" || exit 1
  flock -w 20 9 || {
    result locked "$(head -c 1000 "$LOCK" 2>/dev/null)" "$(date +%s)"
    exit 0
  }
  now=$(date +%s)
  if [ -e "$LOCK" ] && ! grep -qxF "transaction=$TXN" "$LOCK" && ! lost_guard "$T" &&
    [ "$now" -lt "$(sed -n 's/^expires=\([0-9]\{1,12\}\)$/\1/p' "$LOCK")" ] 2>/dev/null; then
    result locked "$(head -c 1000 "$LOCK")" "$now"
    exit 0
  fi
  if [ -f "$T/settings" ]; then
    # Roll back an unconfirmed change first if its lock expired, its guard was killed, or a reboot interrupted it. The current plan was
    # computed from that state, so it has to be computed again. mksh keeps a copy of closed descriptors, and so the lock, until it exits.
    flock -u 9
    exec 9<&-
    if sh "$T/rollback.sh" undo stale >/dev/null 2>&1; then result again; else result blocked; fi
    exit 0
  fi
  for path in "$T" "$RUN"/docker-tls-[0-9a-f]* "$LOCK"; do
    if [ -e "$path" ] || [ -L "$path" ]; then rm -rf -- "$path"; fi
  done
  set -C
  why=$({ printf 'who=%s\nsince=%s\nexpires=%s\ntransaction=%s\n' "$WHO" "$now" "$((now + $1))" "$TXN" >"$LOCK"; } 2>&1) || {
    result failed lock "$why"
    exit 0
  }
  set +C
}
