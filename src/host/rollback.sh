# The rollback of a change by docker-tls. It lies on the host beside the change's own records and is started by a timer,
# by a reboot, or by the operator's computer:
#   sh rollback.sh undo REASON     put everything back as it was (or finish, when the change was already confirmed)
#   sh rollback.sh commit ID       the change was verified from outside: keep it
# It can be killed at any moment and started again. The directory it lies in (`txn`) holds:
#   settings   shell assignments: TXN UNITS LOCK TLS_DIRECTORY DAEMON WAS_ACTIVE LIVE_RESTORE LIVE_RESTORE_STAYS
#              DAEMON_JSON NEEDS SSHD SSHD_DROP_IN AUDIT GENERATION KEEP
#   manifest   what changes: index, kind, mode, owner, source, path; one line each, separated by tabs
#   kept       what was there before: index, kind, mode, owner, path
#   created    directories that were made, in order; all-created: with those of earlier changes
#   managed    every path that this and earlier changes have put under our care: kind, path
#   switched   mark: from just before the first rename        protected  mark: live-restore was switched on
#   services   mark: services have been touched               restored   mark: everything is back, only clearing is left
#   stopped    mark: docker.service has been stopped
#   committed  mark: the change is confirmed                held       ports that rules of ours hold at this moment
#   audit-generated  mark: audit.rules was what augenrules makes of rules.d
#   socket-changed   mark: our socket unit is another one   units-changed  mark: systemd has to read unit files anew
#   dependents       units that need docker.service and were active when it was first stopped, one per line
set -u
umask 077
: "${T:=${0%/*}}"
STATE=${T%/*}
TAB=$(printf '\t')
NL='
'
AUDIT_DIRECTORY=${AUDIT_DIRECTORY:-/etc/audit}
# Seconds that a start of the daemon may take until it counts as failed.
LIMIT=300
# yes: on the rollback, where what cannot be checked is no reason to stop half way.
BACK=no
# What the operator has to know although everything is back.
REMARK=
socket=

# A mark is a second name of a file that is already there, so that a full disk cannot prevent it.
mark() { ln -f -- "$T/id" "$T/$1"; }

note() { logger -t docker-tls -- "$*" 2>/dev/null || :; }

# One transaction's steps never run at the same time as its rollback. The lock is on a directory that always exists.
take_mutex() {
  exec 9<"$UNITS" && flock -w "$1" 9
}

# Does a process hold the mutex? Under any number: while a shell runs a command without descriptor 9, it keeps it as another.
holds_mutex() {
  for held in "/proc/$1"/fd/*; do
    if [ "$held" -ef "$UNITS" ]; then return 0; fi
  done
  return 1
}

# ---- files -------------------------------------------------------------------------------------------------------

# The same file, or the same link, under another path: copy FROM TO. A link is made anew: with it, uutils' `cp -a` changes the mode of the
# file that it leads to.
copy() {
  if [ -L "$1" ]; then
    ln -sT -- "$(readlink -- "$1")" "$2" && chown -h "$(stat -c %u:%g -- "$1")" -- "$2"
  else
    cp -a -- "$1" "$2"
  fi
}

# The state of a path as a line of a snapshot, and its copy as DIR/INDEX: snapshot_path DIR INDEX KIND PATH
snapshot_path() {
  case $3 in
    member)
      if is_member "$4"; then present=present; else present=absent; fi
      printf '%s\tmember\t%s\t-\t%s\n' "$2" "$present" "$4" >>"$1/manifest"
      ;;
    attributes)
      if [ -e "$4" ]; then
        printf '%s\tattributes\t%s\t%s\n' "$2" "$(stat -L -c "%a${TAB}%u:%g" -- "$4")" "$4" >>"$1/manifest"
      fi
      ;;
    *)
      if [ -L "$4" ]; then
        copy "$4" "$1/$2" && printf '%s\tlink\t777\t%s\t%s\n' "$2" "$(stat -c '%u:%g' -- "$4")" "$4" >>"$1/manifest"
      elif [ -e "$4" ]; then
        copy "$4" "$1/$2" && printf '%s\tfile\t%s\t%s\n' "$2" "$(stat -c "%a${TAB}%u:%g" -- "$4")" "$4" >>"$1/manifest"
      else
        printf '%s\tabsent\t-\t-\t%s\n' "$2" "$4" >>"$1/manifest"
      fi
      ;;
  esac
}

# GROUP:USER as it stands in the group file.
is_member() {
  getent group "${1%%:*}" | cut -d: -f4 | tr ',' '\n' | grep -qxF -- "${1#*:}"
}

set_member() {
  case $1 in
    present) is_member "$2" || gpasswd -a "${2#*:}" "${2%%:*}" >/dev/null ;;
    absent) ! is_member "$2" || gpasswd -d "${2#*:}" "${2%%:*}" >/dev/null ;;
  esac
}

# Puts PATH.docker-tls-SUFFIX in the place of PATH by one rename, and keeps it: place_as PATH SUFFIX
place_as() {
  # A link gets a copy, and so does what lies on a file system without second names.
  if [ -L "$1.docker-tls-$2" ] || ! ln -fT -- "$1.docker-tls-$2" "$1.docker-tls-tmp" 2>/dev/null; then
    rm -f -- "$1.docker-tls-tmp" && copy "$1.docker-tls-$2" "$1.docker-tls-tmp" || return 1
  fi
  if ! mv -fT -- "$1.docker-tls-tmp" "$1" 2>/dev/null; then
    # mv refuses two names of one file; then an earlier try, which was killed, has done it already.
    if [ -L "$1" ] || ! [ "$1" -ef "$1.docker-tls-$2" ]; then
      # busybox's mv does not replace a link to a directory.
      if [ -L "$1" ] && [ -d "$1" ]; then rm -f -- "$1" || return 1; fi
      mv -fT -- "$1.docker-tls-tmp" "$1" || return 1
    fi
  fi
  [ ! -e "$1.docker-tls-tmp" ] || rm -f -- "$1.docker-tls-tmp"
}

# Every path back to what was kept. Renames only, so that a full disk cannot stop it.
restore_files() {
  [ -f "$T/kept" ] || return 0
  bad=0
  while IFS=$TAB read -r index kind mode owner path <&3; do
    if [ "$LIVE_RESTORE" = temporary ] && [ "$path" = "$DAEMON_JSON" ]; then continue; fi
    case $kind in
      file | link) place_as "$path" old || bad=1 ;;
      absent) rm -f -- "$path" || bad=1 ;;
      attributes) [ ! -e "$path" ] || { chmod "$mode" -- "$path" && chown "$owner" -- "$path"; } || bad=1 ;;
      member) set_member "$mode" "$path" || bad=1 ;;
    esac
  done 3<"$T/kept"
  return "$bad"
}

# Takes away what lies beside the files: staged and kept copies.
clear_beside() {
  [ -f "$T/manifest" ] || return 0
  set --
  while IFS=$TAB read -r index kind mode owner source path <&3; do
    case $kind in
      file | link | absent)
        for suffix in new old tmp old-on old-off new-on new-off; do set -- "$@" "$path.docker-tls-$suffix"; done
        ;;
    esac
  done 3<"$T/manifest"
  [ $# = 0 ] || rm -f -- "$@"
}

clear_blobs() {
  [ -f "$T/manifest" ] || return 0
  set --
  while IFS=$TAB read -r index kind mode owner source path <&3; do
    if [ "$kind" = blob ]; then set -- "$@" "$path"; fi
  done 3<"$T/manifest"
  [ $# = 0 ] || rm -f -- "$@"
}

# Directories that this change made, innermost first; those that are still in use stay.
remove_created() {
  [ -f "$1" ] || return 0
  sort -r -u "$1" | while IFS= read -r directory; do rmdir -- "$directory" 2>/dev/null || :; done
}

# ---- daemon ------------------------------------------------------------------------------------------------------

# Did the daemon refuse an answer of api? A plugin for authorization that does not let the question through, or that has failed itself: then
# nobody can know, as where there is nothing to ask with.
refused() {
  case $1 in *"--$TXN api 401 "* | *"--$TXN api 403 "* | *"authorization denied by plugin"* | *'"message":"plugin '*' failed with error: '*) return 0 ;; esac
  return 1
}

# Makes a daemon read its configuration, and sets `pid` to its number: hup UNIT. Not by `systemctl reload`: an emptied ExecReload=, a host
# without /bin/kill, and the kill of procps in a Turkish locale ("Invalid argument") all fail there.
# One that is still starting would die of it.
hup() {
  unit=$NL$(systemctl show -p ActiveState -p MainPID -- "$1" 9<&-)$NL
  active "$unit" || return 1
  pid=${unit#*"${NL}MainPID="} && pid=${pid%%"$NL"*}
  [ "${pid:-0}" -gt 1 ] && kill -s HUP "$pid"
}

# dockerd takes its configuration in some time later: wait until it says so, on the socket that it has now: reload_docker WORDS…
reload_docker() {
  began=$(date +%s.%N)
  hup docker.service || return 1
  socket=$(exec 9<&-; local_socket "$pid")
  await "$@" && return 0
  [ "$BACK" = yes ] && note "docker.service was told to read its configuration and does not say whether it has ($*)"
}

# Is live-restore on in the running daemon? 2: nobody can know.
live_restore_is() {
  [ -n "$socket" ] || return 2
  info=$(exec 9<&-; api "$socket" "$TXN" /info)
  if [ $? = 2 ]; then
    command -v docker >/dev/null 2>&1 || return 2
    # What it refuses it says on stderr, and there it may also warn: of a missing HOME, of its own configuration.
    info=$(exec 9<&-; timeout 10 docker -H "unix://$socket" info --format '"LiveRestoreEnabled":{{.LiveRestoreEnabled}}' 2>&1)
  fi
  case $info in *"\"LiveRestoreEnabled\":$1"*) return 0 ;; esac
  ! refused "$info" || return 2
  return 1
}

# Has dockerd taken its configuration in since `began`? It says so as an event; what it does not accept it only logs. 2: nobody can know.
reloaded() {
  [ -n "$socket" ] || return 2
  events=$(exec 9<&-; api "$socket" "$TXN" "/events?since=$began&until=$(date +%s.%N)&filters=%7B%22event%22%3A%7B%22reload%22%3Atrue%7D%7D")
  [ $? != 2 ] || return 2
  case $events in *'"reload"'*) return 0 ;; esac
  ! refused "$events" || return 2
  return 1
}

# Seconds by a clock that nobody sets.
uptime_s() { sed 's/\..*//' /proc/uptime; }

# Waits until a question is answered with yes; where nobody can know, as long as it usually takes: await WORDS…
await() {
  end=$(($(uptime_s) + 30))
  while [ "$(uptime_s)" -lt "$end" ]; do
    "$@" && return 0
    [ $? -ne 2 ] || { sleep 2; return 0; }
    sleep 0.05
  done
  return 1
}

is_up() { systemctl -q is-active docker.service; }

# Takes away the live-restore of a moment: restore_live_restore old|new. Never while the daemon is down, which systemd may be about to
# start again after it has died: it would come back without live-restore and stop every container.
restore_live_restore() {
  if [ "$WAS_ACTIVE" = yes ] && [ "$DAEMON" != stop ]; then
    is_up || await is_up || return 1
  fi
  place_as "$DAEMON_JSON" "$1-off" && reload_live_restore false
}

reload_live_restore() {
  # Where it does not run there is nothing to take in; and where it hangs in its start, a reload would wait for that without end.
  is_up || return 0
  reload_docker live_restore_is "$1"
}

# When it stops, dockerd cuts connections that it has only just taken (20.10 and 28.5 do so). Therefore nobody new gets to it in the
# moment before: a first packet that is dropped is sent again by the client's kernel a second later, and then systemd holds the port.
# A host without iptables goes without. `held` names the ports before the rules are there: whatever dies, `undo` lets them go first.
hold_port() {
  # Rules of a try that was killed: a second set would outlive the release, which takes out one.
  release_port
  active "$docker_unit" && command -v iptables >/dev/null && command -v ss >/dev/null || return 0
  printf '%s\n' "$socket_unit" | sed -n 's/^Listen=.*:\([0-9]\{1,5\}\) (Stream)$/\1/p' | sort -u >"$T/held" || return 0
  hold_rules -I
  tries=0
  while [ "$tries" -lt 60 ] && under_way; do
    tries=$((tries + 1))
    sleep 0.05
  done
}

# Is a connection to one of the held ports under way: one whose client has said something in the last 3 s? Who is silent for longer
# listens to a stream or keeps the connection for later; waiting changes nothing for those.
under_way() {
  while IFS= read -r port <&4; do
    ss -Htin state established "( sport = :$port )" | grep '^[[:space:]]' |
      grep -qvE 'lastrcv:([3-9]|[1-9][0-9]+)[0-9]{3}' && return 0
  done 4<"$T/held"
  return 1
}

# Puts in (-I) or takes out (-D) the rules that hold the port.
hold_rules() {
  while IFS= read -r port <&4; do
    for tool in iptables ip6tables; do
      timeout 5 "$tool" -w 2 "$1" INPUT -p tcp --dport "$port" --syn -m comment --comment docker-tls-hold -j DROP 2>/dev/null 9<&-
    done
  done 4<"$T/held"
  return 0
}

release_port() {
  [ -e "$T/held" ] || return 0
  hold_rules -D
  rm -f -- "$T/held"
}

# By these a unit stops with another one.
NEEDED_BY='-p RequiredBy -p RequisiteOf -p BoundBy -p ConsistsOf -p PropagatesStopTo'

# What systemd has of the two units, asked once: every question to it costs more than the rest of a step.
look_at_units() {
  told=$(systemctl show docker.service docker-tls.socket -p Id -p ActiveState -p Listen -p NeedDaemonReload $NEEDED_BY 2>/dev/null)
  docker_unit=$NL${told%%"$NL$NL"*}$NL
  socket_unit=$NL${told#*"$NL$NL"}$NL
}

# active UNIT, as look_at_units has it
active() {
  case $1 in *"${NL}ActiveState=active$NL"* | *"${NL}ActiveState=reloading$NL"*) return 0 ;; esac
  return 1
}

# systemd reads all its unit files anew, which takes it 0.1 s: only where ours changed, or somebody else's that it has not read yet.
read_units() {
  case $docker_unit$socket_unit in *"${NL}NeedDaemonReload=yes$NL"*) ;; *) [ -e "$T/units-changed" ] || return 0 ;; esac
  reread
}

# Going back, it does so also where less than 16 MiB are free on /run, which systemd refuses by itself: /run may hold more for that moment.
reread() {
  systemctl daemon-reload 9<&- && return 0
  [ "$BACK" = yes ] || return 1
  size=$(sed -n 's/^[^ ]* \/run tmpfs \([^ ]*,\)\{0,1\}size=\([0-9]*\)k[, ].*$/\2/p' /proc/mounts)
  [ -n "$size" ] && mount -o "remount,size=$((size + 32768))k" /run || return 1
  systemctl daemon-reload 9<&-
  reread=$?
  mount -o "remount,size=${size}k" /run
  return "$reread"
}

# Why docker.service would not start on what lies there now, as far as that can be told before it is stopped; nothing: it would.
obstacle() {
  refusal=$(read_units 2>&1) || { printf 'systemd cannot read the unit files: %s' "$refusal"; return; }
  missing_programs
}

# Programs without which dockerd does not start (it may run for years after they are gone).
missing_programs() {
  printf '%s\n' "$NEEDS" | while IFS= read -r program; do
    [ -z "$program" ] || [ -x "$program" ] || printf '%s is missing; ' "$program"
  done
}

# It can neither be stopped nor started: what is back comes into force some other day.
leave_running() {
  REMARK="docker.service could not start again (${1%; }), so it was left running, with the settings of the change that was rolled back: put that right, then: systemctl daemon-reload && systemctl restart docker.service"
  note "$REMARK"
}

# Units that need docker.service and are active now: those that its stop would take along (as systemd does, theirs as well), and that its
# start would not bring back. Those of the first time count, also for the rollback.
note_dependents() {
  # Empty: the write was killed before anything was stopped.
  [ ! -s "$T/dependents" ] || return 0
  dependents=
  set -- $(needed_by "$docker_unit")
  while [ $# -gt 0 ]; do
    case $NL$dependents in *"$NL$1$NL"*) shift; continue ;; esac
    unit=$NL$(systemctl show -p ActiveState $NEEDED_BY -- "$1" 2>/dev/null)$NL
    if active "$unit"; then
      dependents=$dependents$1$NL
      set -- "$@" $(needed_by "$unit")
    fi
    shift
  done
  [ -z "$dependents" ] || printf '%s' "$dependents" >"$T/dependents" || rm -f -- "$T/dependents"
}

needed_by() { printf '%s' "$1" | sed -n -e 's/^RequiredBy=//p' -e 's/^RequisiteOf=//p' -e 's/^BoundBy=//p' -e 's/^ConsistsOf=//p' -e 's/^PropagatesStopTo=//p'; }

# Starts those that went all the same: bound to the daemon (BindsTo=), or ended with their connection to it. Nobody waits for them. Those
# that are still up are let be: a target that is started anew starts whatever of it somebody has stopped.
start_dependents() {
  if [ -e "$T/dependents" ]; then dependents=$(cat -- "$T/dependents"); fi
  [ -n "${dependents:-}" ] || return 0
  # A state each, in their order.
  states=$(systemctl is-active -- $dependents 2>/dev/null)$NL
  set --
  for unit in $dependents; do
    case ${states%%"$NL"*} in active | reloading) ;; *) set -- "$@" "$unit" ;; esac
    states=${states#*"$NL"}
  done
  [ $# = 0 ] || service --no-block start -- "$@" 2>/dev/null || :
}

# Restarts docker.service on the unit files that now lie there (or, with `stop`, stops it), and brings our socket unit to where they say.
# A socket unit does not start while its service is active, hence stop, start, start; docker.socket stays up throughout.
restart_docker() {
  want=inactive
  [ -e "$UNITS/docker-tls.socket" ] && want=active
  is=inactive
  active "$socket_unit" && is=active
  systemctl reset-failed docker.service docker-tls.socket docker.socket 2>/dev/null
  if [ "$1" = stop ]; then
    service stop docker.service docker-tls.socket 2>/dev/null
    return 0
  fi
  mark stopped
  note_dependents
  if [ "$is" = active ] && [ "$want" = active ]; then hold_port; fi
  # Alone: what needs the daemon (Requires=, PartOf=) would be stopped with it, as by `docker compose down`, and with it its containers.
  service --job-mode=ignore-dependencies stop docker.service 2>/dev/null
  release_port
  start_docker && start_dependents
}

start_docker() {
  if [ "$want" = "$is" ] && [ ! -e "$T/socket-changed" ]; then
    service start docker.service
    return
  fi
  [ "$is" = active ] && service stop docker-tls.socket 2>/dev/null
  if [ "$want" = active ]; then
    # A local client may have woken the daemon in between; it then has pulled our socket in by itself.
    systemctl -q is-active docker-tls.socket || service start docker-tls.socket || return 1
  fi
  service start docker.service
}

# Some units wait for their daemon without end (TimeoutStartSec=0). The mutex is not for those that we start.
service() { timeout "$LIMIT" systemctl "$@" 9<&-; }

# Makes the services take in the files that now lie there, and brings the daemon to where it has to be: apply_services start|stop
apply_services() {
  bad=0
  if [ "$DAEMON" != none ]; then apply_daemon "$1" || bad=1; fi
  if [ "$SSHD" = reload ]; then
    for name in ssh sshd; do
      systemctl -q is-active "$name.service" || continue
      # An sshd that got its port from a socket unit cannot open it again when it reads its configuration anew (it ends with "Cannot bind
      # any address"). systemd holds the port for it, so starting it anew refuses nobody, and sessions live on (KillMode=process).
      if systemctl -q is-active "$name.socket"; then
        systemctl restart "$name.service" || { bad=1; STEP=restart-sshd; }
      else
        hup "$name.service" || { bad=1; STEP=reload-sshd; }
      fi
      break
    done
    # sshd closes its port for a moment while it reads its configuration again; the verification comes over a new connection.
    sleep 0.5
  fi
  if [ "$AUDIT" = load ]; then load_audit_rules; fi
  return "$bad"
}

apply_daemon() {
  look_at_units
  why=$(obstacle)
  if [ "$BACK" = no ] && [ -n "$why" ]; then
    printf 'dockerd would not start again: %s\n' "${why%; }" >&2
    STEP=check
    return 1
  fi
  case $DAEMON in
    reload)
      if [ "$BACK" = yes ] && ! is_up; then service start docker.service; else reload_docker reloaded; fi
      ;;
    restart | stop)
      if [ "$BACK" = yes ] && [ "$1" = start ] && is_up; then
        # It still runs as it did before the change.
        [ -e "$T/stopped" ] || return 0
        if [ -n "$why" ]; then leave_running "$why"; return 0; fi
      fi
      restart_docker "$1"
      ;;
  esac
}

# Rules of ours carry the key docker-tls, so that the kernel can be asked to drop those and no others: what somebody else has loaded, be it by
# hand and in no file, stays as it is. Hence no `augenrules --load`, which drops all (or, without -D in rules.d, none), and stops at the
# first rule that it cannot load. A rule that is not taken is no reason to go back, but it is said.
load_audit_rules() {
  kernel=$(auditctl -s 2>/dev/null) || return 0
  write_audit_rules
  case $kernel in
    *'enabled 2'* | *'enabled=2'*)
      warn 'audit rules: the kernel keeps the loaded ones until its next boot (-e 2)'
      return 0
      ;;
  esac
  auditctl -D -k docker-tls >/dev/null 2>&1
  [ -f "$AUDIT_DIRECTORY/rules.d/docker-tls.rules" ] || return 0
  while IFS= read -r rule <&3; do
    case $rule in -*) ;; *) continue ;; esac
    # shellcheck disable=SC2086 # its words; paths in it have no blanks
    said=$(auditctl $rule 2>&1 9<&-) || warn "audit rules: the kernel did not take \"$rule\": $(printf '%s' "$said" | grep -v '^Old style' | tail -n 1)"
  done 3<"$AUDIT_DIRECTORY/rules.d/docker-tls.rules"
}

# For the next boot: audit.rules out of rules.d, with the copy that augenrules leaves of the old one taken away.
write_audit_rules() {
  [ -e "$T/audit-generated" ] || return 0
  had=no
  if [ -e "$AUDIT_DIRECTORY/audit.rules.prev" ]; then had=yes; fi
  augenrules >"$T/audit-load" 2>&1 || warn "audit rules: augenrules failed: $(tail -n 3 "$T/audit-load" | tr '\n' ' ')"
  if [ "$had" = no ]; then rm -f -- "$AUDIT_DIRECTORY/audit.rules.prev"; fi
}

# Asked before the first rename: augenrules would take away the rules of whoever keeps audit.rules by hand. Rules that stand in rules.d and
# not yet in it are no sign of that, nor are ours the other way round: the kernel may have been locked, or not there.
keep_audit_rules() {
  case $(augenrules --check 2>/dev/null) in
    *'No change'*) mark audit-generated ;;
    *'Rules have changed'*)
      other_rules "$AUDIT_DIRECTORY"/rules.d/*.rules >"$T/audit-others"
      other_rules "$AUDIT_DIRECTORY/audit.rules" | grep -qvxF -f "$T/audit-others" || mark audit-generated
      ;;
  esac
}

other_rules() {
  cat -- "$@" 2>/dev/null | tr -d '\r' | grep -v -e '^[[:space:]]*#' -e '^[[:space:]]*$' -e ' -k docker-tls$'
}

# For the operator's eyes, beside the result.
warn() { printf '@warning %s\n' "$(printf '%s' "$1" | base64 | tr -d '\n')" 2>/dev/null; }

stop_timer() {
  systemctl stop "docker-tls-undo-$TXN.timer" 2>/dev/null
  return 0
}

clear_recovery() {
  rm -f -- "$UNITS/docker-tls-recover.service" "$UNITS/sysinit.target.wants/docker-tls-recover.service"
}

# Where systemd has read the recovery unit with others (a change of unit files, a boot), it has to forget it.
forget_recovery() {
  [ "$(systemctl show docker-tls-recover.service -p LoadState 2>/dev/null)" = LoadState=not-found ] || reread 2>/dev/null
}

# The records of this change, and the directory above when nothing else is in it: one command, so that half of it is not left. A link is not ours.
clear_records() {
  if [ ! -L "$STATE" ] && [ "$(ls -A "$STATE")" = "${T##*/}" ]; then rm -rf -- "$STATE"; else rm -rf -- "$T"; fi
}

# ---- the two ends ------------------------------------------------------------------------------------------------

undo() {
  reason=$1
  BACK=yes
  if [ -e "$T/committed" ]; then finish; return; fi
  release_port
  if [ -e "$T/switched" ] && [ ! -e "$T/restored" ]; then
    if ! roll_back_files "$reason"; then
      # The rollback itself failed: the originals stay where they are, and the next boot or change tries again.
      note "rolling back $TXN ($reason) failed; the originals are kept as *.docker-tls-old and in $T"
      return 6
    fi
    mark restored
  fi
  clear_beside
  clear_blobs
  clear_recovery
  forget_recovery
  remove_created "$T/created"
  note "rolled back $TXN ($reason)"
  # Until here it would have come to help if this had been killed.
  stop_timer
  # The records go last: as long as they are there, the next change finishes this one.
  rm -f -- "$LOCK"
  # A key that the host made for this change is not its own any more, and who asked for it may be gone.
  rm -rf -- "/run/docker-tls-$TXN" /run/docker-tls-key-*
  clear_records
  return 0
}

roll_back_files() {
  result=0
  if [ "$1" = boot ]; then
    # The daemon has not started yet: it will start on what lies there now.
    restore_files || result=1
    if [ "$LIVE_RESTORE" = temporary ]; then final_daemon_json old || result=1; fi
    reread || result=1
    # A boot that found no unit for our port has not planned its start. It comes before the daemon's, which waits for us.
    if [ -e "$UNITS/docker-tls.socket" ]; then systemctl --no-block start docker-tls.socket 9<&- || result=1; fi
    return "$result"
  fi
  if [ "$LIVE_RESTORE" = temporary ]; then
    place_as "$DAEMON_JSON" old-on || result=1
    # A daemon that runs on a configuration without live-restore would take the containers down with it.
    if [ -e "$T/services" ]; then reload_live_restore true; fi
  fi
  restore_files || result=1
  # undo: half way
  if [ -e "$T/services" ]; then
    if [ "$WAS_ACTIVE" = yes ]; then how=start; else how=stop; fi
    # It ran with this before: a start that fails is tried again, since nobody else will do it.
    apply_services "$how" || { sleep 2; apply_services "$how"; } || result=1
  fi
  if [ "$LIVE_RESTORE" = temporary ] && [ "$result" = 0 ]; then
    if [ -e "$T/protected" ]; then restore_live_restore old || result=1; fi
    final_daemon_json old || result=1
  fi
  return "$result"
}

# daemon.json as it is meant to stay, after live-restore was on for a moment: final_daemon_json old|new
final_daemon_json() {
  if [ -e "$DAEMON_JSON.docker-tls-$1" ] || [ -L "$DAEMON_JSON.docker-tls-$1" ]; then
    place_as "$DAEMON_JSON" "$1"
  else
    rm -f -- "$DAEMON_JSON"
  fi
}

# Everything of a confirmation that could fail comes before the mark; what comes after it can be done again by `undo`.
commit() {
  if [ ! -e "$T/committed" ]; then
    # commit: nothing counts yet
    if [ "$LIVE_RESTORE" = temporary ]; then
      if [ "$LIVE_RESTORE_STAYS" = no ]; then
        restore_live_restore new || return 1
      fi
      final_daemon_json new || return 1
    fi
    if [ "$GENERATION" != none ]; then
      rm -rf -- "$T/generation"
      mkdir -- "$T/generation" && true >"$T/generation/manifest" || return 1
      index=0
      while IFS=$TAB read -r kind path <&3; do
        index=$((index + 1))
        snapshot_path "$T/generation" "$index" "$kind" "$path" || return 1
      done 3<"$T/managed"
    fi
    # What `remove` takes away one day. The directory of the recovery unit is only the transaction's.
    set -- "$T/created"
    [ ! -e "$STATE/created" ] || set -- "$@" "$STATE/created"
    sort -u -- "$@" >"$T/sorted" || return 1
    true >"$T/all-created" || return 1
    while IFS= read -r directory <&3; do
      if [ -d "$directory" ] && [ "$directory" != "$UNITS/sysinit.target.wants" ]; then printf '%s\n' "$directory" >>"$T/all-created" || return 1; fi
    done 3<"$T/sorted"
    sync "$T"/* "$T"/generation/* 2>/dev/null
    mark committed || return 1
    # Who is told that it counts must not find it gone after a loss of power.
    sync "$T" 2>/dev/null
  fi
  finish
}

finish() {
  # finish: the change counts
  clear_beside
  clear_recovery
  if [ "$GENERATION" = none ]; then
    rm -rf -- "$STATE/origin" "$STATE/generations" /run/docker-tls-key-*
    rm -f -- "$STATE/state.json"
    for directory in $(credential_directories "$T/all-created"); do rm -rf -- "$directory"; done
    rm -f -- "$STATE/created"
    remove_created "$T/all-created"
    remove_created "$T/created"
    forget_recovery
    note "removed ($TXN)"
  else
    if [ -d "$T/generation" ]; then
      mkdir -p -- "$STATE/generations"
      rm -rf -- "$STATE/generations/$GENERATION"
      mv -T -- "$T/generation" "$STATE/generations/$GENERATION"
    fi
    if [ -d "$T/origin" ]; then
      rm -rf -- "$STATE/origin"
      mv -T -- "$T/origin" "$STATE/origin"
    fi
    if [ -f "$T/state.json" ]; then mv -fT -- "$T/state.json" "$STATE/state.json"; fi
    # A directory that only the transaction needed goes now.
    rmdir -- "$UNITS/sysinit.target.wants" 2>/dev/null
    if [ -f "$T/all-created" ]; then mv -fT -- "$T/all-created" "$STATE/created"; fi
    prune
    note "generation $GENERATION is in force ($TXN)"
  fi
  stop_timer
  rm -f -- "$LOCK"
  clear_records
  # It comes last and nobody waits for it: while systemd reads, every other call to it would wait as well. By `exec`, since a shell that
  # redirects a function keeps the old descriptors, with them the mutex and the pipe that the answer comes by.
  if [ "$GENERATION" != none ]; then { exec >/dev/null 2>&1 </dev/null 9<&-; forget_recovery; } & fi
  return 0
}

# Directories of credentials that we made, out of lists of made directories: names without blanks. Whatever else lies beside them is not ours.
credential_directories() {
  cat -- "$@" 2>/dev/null | grep -x -- "$TLS_DIRECTORY/[0-9][0-9]*" | sort -u
}

# Keeps the newest KEEP generations, and the directories of credentials that they and `current` point to.
prune() {
  for old in $(ls -A "$STATE/generations" | grep -x '[0-9]*' | sort -rn | tail -n "+$((KEEP + 1))"); do
    [ "$old" = "$GENERATION" ] || rm -rf -- "${STATE:?}/generations/$old"
  done
  # The second way is busybox's.
  used=$(find "$TLS_DIRECTORY" "$STATE/generations" -maxdepth 2 -type l -printf '%l\n' 2>/dev/null) ||
    used=$(find "$TLS_DIRECTORY" "$STATE/generations" -maxdepth 2 -type l -exec readlink -- {} \;) || return 0
  for directory in $(credential_directories "$STATE/created"); do
    case $NL$used$NL in *"$NL${directory##*/}$NL"*) ;; *) rm -rf -- "$directory" ;; esac
  done
}

# The verbs. Without one (when a change includes this text) only the functions above are defined.
case ${1:-} in
  undo | commit)
    trap '' HUP PIPE
    if [ ! -f "$T/settings" ]; then echo '@result nothing'; exit 0; fi
    . "$T/settings"
    if ! take_mutex 30; then
      pid=$(cat "$T/pid" 2>/dev/null)
      if holds_mutex "$pid"; then
        # The change itself hangs: it had its time. (Its number may be another program's by now, hence the question.)
        kill -9 "$pid"
        wait_s=10
      else
        # The other end of the same change, perhaps with a daemon that starts slowly: two at the same time would stop its containers.
        wait_s=$((3 * LIMIT))
      fi
      take_mutex "$wait_s" || note "the rollback goes on without the mutex"
    fi
    # The one that was waited for has ended this change; another one may have begun.
    if [ ! -f "$T/settings" ] || [ "$(. "$T/settings"; printf '%s' "$TXN")" != "$TXN" ]; then echo '@result nothing'; exit 0; fi
    if [ "$1" = commit ]; then
      if [ "$TXN" != "$2" ]; then echo '@result nothing'; exit 0; fi
      # Why not: a full disk, as a rule.
      if why=$(exec 2>&1 >/dev/null; commit); then echo '@result committed'; else printf '@result uncommitted %s\n' "$(printf '%s' "$why" | base64 | tr -d '\n')"; fi
      exit 0
    fi
    if [ -e "$T/committed" ]; then outcome=committed; else outcome=undone; fi
    undo "${2:-asked}"
    status=$?
    [ "$status" -eq 0 ] && printf '@result %s%s\n' "$outcome" "${REMARK:+ $(printf '%s' "$REMARK" | base64 | tr -d '\n')}"
    # A unit (boot, timer) takes what runs in the background along when it ends: systemd has to have forgotten the recovery unit by then.
    wait
    exit "$status"
    ;;
esac
