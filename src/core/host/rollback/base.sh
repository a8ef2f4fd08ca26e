# The rollback of a change by docker-tls. It is stored on the host beside the change's own records and is started by a timer,
# by a reboot, or by the operator's computer:
#   sh rollback.sh undo REASON     put everything back as it was (or finish, when the change was already confirmed)
#   sh rollback.sh commit ID       the change was verified from outside: keep it
# It can be killed at any moment and started again. Its directory (`txn`) holds:
#   settings   shell assignments (src/core/host/protocol.ts)
#   manifest   what changes: index, kind, mode, owner, source, path; one line each, separated by tabs
#   kept       what was there before: index, kind, mode, owner, path
#   created    directories that were made, in order; all-created: with those of earlier changes
#   managed    every path that this and earlier changes have put under our care: kind, path
#   switched   mark: from just before the first rename        protected  mark: live-restore was switched on
#   services   mark: services have been touched               restored   mark: everything is back, only clearing is left
#   stopped    mark: docker.service has been stopped
#   failed     mark: the rollback could not be done   unrestored mark: nor put all files back
#   sshd-failed  mark: nor reload sshd
#   forms      what each path may be by this change: sum, path.docker-tls-FORM
#   containers those that ran when the change began: id, process, its beginning, restarts, name
#   pulled     services that the daemon's start brings along, and that did not run
#   local      mark: the daemon answered on its local socket
#   committed  mark: the change is confirmed                held       ports that rules of ours hold at this moment
#   audit-generated  mark: audit.rules was what augenrules makes of rules.d
#   socket-changed   mark: our socket unit is another one   units-changed  mark: systemd has to read unit files anew
#   generation-kept  mark: `generation` has the paths under our care, as the change leaves them
#   ends-linger      mark: the user is no longer to linger, once all else is done
#   held-by-iptables mark: those rules are of iptables, and not of nft
#   shown, looked    what systemd has of the daemon's units; its process, when that began, and where it answers: asked when the change began,
#                    and its process anew once a restart has stopped no container
#   daemon           the process of the daemon that has answered last, and when it began
#   dependents       units that need docker.service and were active when it was first stopped, one per line
# Needs variables: RUN T
# Needs programs: base64 flock ln logger sleep tr
set -u
umask 077
: "${T:=${0%/*}}"
STATE=${T%/*}
NL='
' TAB='	'
AUDIT_DIRECTORY=${AUDIT_DIRECTORY:-/etc/audit}
# Seconds until a start of the daemon counts as failed.
LIMIT=300
# yes: during a rollback, which a failed check must not stop half way.
BACK=no
# A difference that remains after a complete rollback, for the operator.
REMARK=
# yes: the daemon is down and cannot be started.
LEFT_DOWN=no
pid="" socket=""
# yes: the result of look_at_service is current.
KNOWN=no shown=
# The background process that waits for live-restore.
protection=

# A mark is a hard link to an existing file, so it works on a full disk.
mark() { ln -f -- "$T/id" "$T/$1"; }

note() { logger -t docker-tls -- "$*" 2>/dev/null || :; }

# A warning for the operator, beside the result.
warn() { printf '@warning %s\n' "$(printf '%s' "$1" | base64 | tr -d '\n')" 2>/dev/null; }

# Sets `uptime` in seconds, from a clock that nobody can set.
look_at_clock() {
  read -r uptime idle </proc/uptime
  uptime=${uptime%%.*}
}

# Waits until a command succeeds; if its answer is unknown (2), as long as it usually takes: await WORDS…
await() {
  look_at_clock
  end=$((uptime + 30))
  while [ "$uptime" -lt "$end" ]; do
    "$@" && return 0
    [ $? -ne 2 ] || {
      sleep 2
      return 0
    }
    sleep 0.02
    look_at_clock
  done
  return 1
}

# Steps of a transaction and its rollback never run at the same time. The lock is on a directory that always exists.
take_mutex() {
  exec 9<"$RUN" && flock -w "$1" 9
}

# Does a process hold the mutex? Checks all descriptors: a shell that runs a command without descriptor 9 saves it under another number.
holds_mutex() {
  for held in "/proc/$1"/fd/*; do
    # shellcheck disable=SC3013 # dash, bash and busybox have -ef
    if [ "$held" -ef "$RUN" ]; then return 0; fi
  done
  return 1
}
