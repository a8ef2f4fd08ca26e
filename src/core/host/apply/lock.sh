# One change of a host, from its lock to the restarted daemon. The confirmation comes later, over a new connection. Standard input carries
# each file of the manifest whose source is `stdin`, in order; everything else came with the script. Runs under any /bin/sh. Avoid a
# redirection on `:`, because it ends the shell when the disk is full. Prints `@ STEP` when a step begins, `@warning BASE64` for warnings
# to the operator, and one last line `@result …`.
# Needs functions: clear_unarmed result take_lock undo
# Needs variables: CONFIRM RUN T TXN now
# Needs programs: dd head rm timeout
umask 077
trap '' HUP PIPE
STEP=lock
step() {
  STEP=$1
  printf '@ %s\n' "$1" 2>/dev/null
  # tests pause the script at this point
}
# `head` may be a function: the bootstrap (src/core/adapters/ssh/frame.ts) replaces a `head` that reads more than it prints.
case $(command -v head) in
  */*) take() { timeout "$CONFIRM" head -c "$1"; } ;;
  *) take() { timeout "$CONFIRM" dd bs=1 count="$1" 2>/dev/null; } ;;
esac

step lock
take_lock $((CONFIRM + 60))
SINCE=$now
STAGING=$RUN/docker-tls-$TXN
timer='' look='' validation=''
# Leaves nothing behind when this script ends before it touched the daemon: no timer that is still starting, no dockerd that still
# validates.
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
# The state that the plan was computed from has changed.
changed() {
  abandon
  result changed "$1"
  exit 0
}
trap abandon EXIT
