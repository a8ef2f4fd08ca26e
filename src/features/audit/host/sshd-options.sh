# Start options of the host's sshd.
# Needs programs: cat grep sed sshd tr

# Prints -o and -f of the running sshd, one per line: they override every file (sshd(8)). Its process title shows arguments without
# quotes: `-o PermitRootLogin no` was one word.
sshd_options() {
  for file in /run/sshd.pid /var/run/sshd.pid; do
    read -r pid 2>/dev/null <"$file" || continue
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = sshd ] || continue
    tr '\000' ' ' <"/proc/$pid/cmdline" | sed 's/ \[listener\] .*//' | grep -oE ' -(f *[^ ]+|o *[^ ]+|o *[^ =]+( +[^ -][^ ]*)+)' |
      sed -e 's/^ *-\(.\) */-\1/' -e 's/^\(-o[^ =]*\)  */\1=/'
    return 0
  done
}

# Runs sshd -T with these options; without them if they cannot be parsed.
effective_sshd() {
  set -f
  # shellcheck disable=SC2046 # one word each
  set -- "$@" $(sshd_options)
  set +f
  sshd -T "$@" 2>/dev/null && return 0
  given=$#
  while [ "$given" -gt 0 ]; do
    case $1 in -o?* | -f?*) ;; *) set -- "$@" "$1" ;; esac
    shift
    given=$((given - 1))
  done
  sshd -T "$@"
}
