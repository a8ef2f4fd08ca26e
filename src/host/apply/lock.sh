# One change of a host, from its lock to the restarted daemon; the confirmation comes later, over a new connection.
# Standard input carries each file of the manifest whose source is `stdin`, one after the other; all else came with the script.
# It is /bin/sh of any kind: no redirection on `:`, which would end the shell where the disk is full.
# Prints `@ STEP` when a step begins, `@warning BASE64` for what the operator should know, and one last line `@result …`.
# Needs functions: clear_unarmed result undo
# Needs variables: CONFIRM LOCK RUN STATE TXN WHO
# Needs programs: date dd flock head rm sed sh timeout
umask 077
trap '' HUP PIPE
T=$STATE/txn
STEP=lock
step() {
  STEP=$1
  printf '@ %s\n' "$1" 2>/dev/null
  # a place to stop at for tests
}
# `head` may be a function here: the bootstrap (src/adapters/ssh/frame.ts) replaces one that reads more than it prints.
case $(command -v head) in
  */*) take() { timeout "$CONFIRM" head -c "$1"; } ;;
  *) take() { timeout "$CONFIRM" dd bs=1 count="$1" 2>/dev/null; } ;;
esac

# One change at a time.
step lock
exec 9<"$RUN" || exit 1
flock -w 20 9 || {
  result locked "$(head -c 1000 "$LOCK" 2>/dev/null)" "$(date +%s)"
  exit 0
}
now=$(date +%s)
if [ -e "$LOCK" ] && [ "$now" -lt "$(sed -n 's/^expires=\([0-9]\{1,12\}\)$/\1/p' "$LOCK")" ] 2>/dev/null; then
  result locked "$(head -c 1000 "$LOCK")" "$now"
  exit 0
fi
STAGING=$RUN/docker-tls-$TXN
timer='' validation=''
# Whatever ends this script before the daemon was touched leaves nothing behind: also no timer that is only about to start, and no dockerd that
# still validates.
abandon() {
  trap - EXIT
  for job in $timer $validation; do wait "$job"; done
  if [ -f "$T/settings" ]; then
    undo abandoned >/dev/null 2>&1
  else
    clear_unarmed "$STAGING"
  fi
  rm -rf -- "$STAGING"
}
fail() {
  abandon
  result failed "$STEP" "$1"
  exit 0
}
# What the plan was made from is something else now.
changed() {
  abandon
  result changed "$1"
  exit 0
}
if [ -f "$T/settings" ]; then
  # An unconfirmed change whose lock has expired, or that a reboot left: it is rolled back first. The plan that
  # is about to be carried out was made from what it left behind, so it has to be made again.
  exec 9<&-
  if sh "$T/rollback.sh" undo stale >/dev/null 2>&1; then result again; else result blocked; fi
  exit 0
fi
for path in "$T" "$RUN"/docker-tls-[0-9a-f]* "$LOCK"; do
  if [ -e "$path" ] || [ -L "$path" ]; then rm -rf -- "$path"; fi
done
(
  set -C
  printf 'who=%s\nsince=%s\nexpires=%s\ntransaction=%s\n' "$WHO" "$now" "$((now + CONFIRM + 60))" "$TXN" >"$LOCK"
) 2>/dev/null ||
  {
    result failed lock "cannot write $LOCK"
    exit 0
  }
trap abandon EXIT
