# Rollback script of a change, stored on the host with the change's records. A timer, a boot or the operator's machine starts it:
#   sh rollback.sh undo REASON     restores everything (or finishes a confirmed change)
#   sh rollback.sh commit ID       confirms the change after its verification from outside
# A killed script can be started again. Its directory (`txn`) contains:
#   settings   shell assignments (src/core/host/protocol.ts)
#   manifest   the change: index, kind, mode, owner, source, path; one line each, separated by tabs
#   kept       the original state: index, kind, mode, owner, path
#   created    created directories, in order; all-created: including those of earlier changes
#   managed    every path managed by this and earlier changes: kind, path
#   switched   mark: set just before the first rename         protected  mark: live-restore was enabled
#   services   mark: the change touched services              restored   mark: restored; only cleanup remains
#   stopped    mark: docker.service was stopped
#   failed     mark: the rollback failed                 unrestored mark: it could not restore all files
#   PART-failed  mark: it could not bring the service of a part in line with its files
#   forms      possible states of each path in this change: sum, path.docker-tls-FORM
#   containers containers running at the start of the change: id, process, its start time, restarts, name
#   idle       mark: no container ran at the start of the change
#   unprotected  a process that began when the stopped daemon had its final daemon.json, because no container needs live-restore: its start
#              time in ticks, and its ID
#   pulled     stopped services that a start of the daemon pulls in
#   local      mark: the daemon answered on its local socket
#   committed  mark: the change is confirmed                  held       ports currently held by firewall rules of docker-tls
#   UNIT-changed     mark: this socket unit changes         units-changed  mark: systemd has to reload unit files
#   generation-kept  mark: `generation` has the managed paths in their state after the change
#   held-by-iptables mark: these rules are in iptables instead of nft
#   shown, looked    systemd's data of the daemon's units; the daemon's process, start time and socket: from the start of the change,
#                    and its process again after a restart that stopped no container
#   daemon           process of the daemon that answered last, and its start time
#   started          process that systemd has begun to start as the daemon, its start time and, where systemd holds it, its socket
#   dependents       active units that required docker.service at its first stop, one per line
# Needs variables: RUN T
# Needs programs: base64 flock ln logger sleep tr
set -u
umask 077
: "${T:=${0%/*}}"
STATE=${T%/*}
NL='
' TAB='	'
# Seconds until a start of the daemon counts as failed.
LIMIT=300
# yes: during a rollback, so that a failed check does not stop it half way.
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

# A mark is an empty file, by a builtin: a process for each would take longer. On a full disk it is a hard link to an existing file.
mark() { [ -e "$T/$1" ] || { true >"$T/$1"; } 2>/dev/null || ln -f -- "$T/id" "$T/$1"; }

note() { logger -t docker-tls -- "$*" 2>/dev/null || :; }

# A warning for the operator, in addition to the result.
warn() { printf '@warning %s\n' "$(printf '%s' "$1" | base64 | tr -d '\n')" 2>/dev/null; }

# Sets `uptime` in seconds, from a clock that cannot be set.
look_at_clock() {
  read -r uptime idle </proc/uptime
  uptime=${uptime%%.*}
}

# Waits until a command succeeds; if its answer is unknown (2), waits for the usual 2 s: await WORDS…
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
