# One change of a host, from its lock to the restarted daemon; the confirmation comes later, over a new connection.
# Standard input carries each file of the manifest whose source is `stdin`, one after the other; all else came with the script.
# It is /bin/sh of any kind: no redirection on `:`, which would end the shell where the disk is full.
# Prints `@ STEP` when a step begins, `@warning BASE64` for what the operator should know, and one last line `@result …`.
# Needs functions: clear_unarmed result take_lock undo
# Needs variables: CONFIRM RUN T TXN now
# Needs programs: dd head rm timeout
umask 077
trap '' HUP PIPE
STEP=lock
step() {
  STEP=$1
  printf '@ %s\n' "$1" 2>/dev/null
  # a place to stop at for tests
}
# `head` may be a function here: the bootstrap (src/core/adapters/ssh/frame.ts) replaces one that reads more than it prints.
case $(command -v head) in
  */*) take() { timeout "$CONFIRM" head -c "$1"; } ;;
  *) take() { timeout "$CONFIRM" dd bs=1 count="$1" 2>/dev/null; } ;;
esac

step lock
take_lock $((CONFIRM + 60))
SINCE=$now
STAGING=$RUN/docker-tls-$TXN
timer='' look='' validation=''
# Whatever ends this script before the daemon was touched leaves nothing behind: also no timer that is only about to start, and no dockerd that
# still validates.
abandon() {
  trap - EXIT
  for job in $timer $look $validation; do wait "$job"; done
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
trap abandon EXIT
