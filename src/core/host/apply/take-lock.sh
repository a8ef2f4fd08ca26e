# The host's lock: one change at a time. Who has it already, from before a certificate was issued for this change, keeps it.
# Needs functions: lost_guard result
# Needs variables: LOCK RUN STATE TXN WHO
# Needs programs: date flock grep head rm sed sh

T=$STATE/txn

# Takes it for some seconds, by the clock of the host; ends the script where that cannot be: take_lock SECONDS
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
    # An unconfirmed change whose lock has expired, whose guard was killed, or that a reboot left: it is rolled back first. The plan that
    # is about to be carried out was made from what it left behind, so it has to be made again.
    # mksh keeps a copy of what it closes, and with it the lock, for as long as it runs.
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
