# The daemon and sshd on hosts with init scripts (sysvinit, OpenRC): state, start, stop and reload.
# Needs functions: await_answer end_unneeded_protection find_daemon hold_port look_at_clock mark missing_programs release_port run_script
# Needs variables: BACK LIMIT PORTS T missing pid uptime
# Needs programs: cat grep head readlink sleep stat tail timeout tr

look_at_service() { :; }
reset_failed() { :; }
reread() { :; }
drop_socket() { :; }
lift_start_limits() { :; }
note_pulled() { pulled=; }

obstacle() {
  missing_programs
  why=$missing
}

runs() { find_daemon; }

# Runs in a subshell before an init script: the service inherits no descriptors, umask or ignored signals.
come_clean() {
  umask 022
  trap - HUP PIPE
  exec </dev/null >/dev/null 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-
}

service() (
  come_clean
  run_script timeout "$LIMIT" "$1"
)

# The init script does not wait until dockerd answers.
start_service() {
  find_daemon || service start
  await_answer
}

# An init script that lost the daemon's ID leaves the daemon running.
stop_service() {
  find_daemon || return 0
  service stop 2>/dev/null
  if find_daemon; then kill -s TERM "$pid"; fi
  look_at_clock
  end=$((uptime + LIMIT))
  while find_daemon && [ "$uptime" -lt "$end" ]; do
    sleep 0.1
    look_at_clock
  done
  [ "$pid" = 0 ]
}

# Restarts the daemon with the current settings, or stops it (`stop`). Only the firewall holds its port in between.
restart_docker() {
  if [ "$1" = stop ]; then
    stop_service
    return 0
  fi
  mark stopped
  if find_daemon; then
    note_log
    hold_port "$PORTS"
  fi
  stop_service && end_unneeded_protection && start_service
  started=$?
  release_port
  return "$started"
}

# Records the daemon's log file and its current length.
note_log() {
  log=$(readlink "/proc/$pid/fd/2")
  case $log in /dev/* | /proc/*) log= ;; /*) ;; *) log= ;; esac
  [ ! -f "$log" ] || printf '%s %s' "$(stat -c %s -- "$log")" "$log" >"$T/log" || :
}

last_words() {
  size=0 log=/var/log/docker.log
  read -r size log 2>/dev/null <"$T/log"
  [ ! -f "$log" ] || tail -c "+$((size + 1))" -- "$log" 2>/dev/null | tail -n 100
}

# Does sshd listen for logins? Before OpenSSH 9.8 sessions have the same process name; an sshd in a container does too: is_sshd PID
is_sshd() {
  [ "$(cat "/proc/$1/comm" 2>/dev/null)" = sshd ] && [ "$(readlink "/proc/$1/ns/pid")" = "$(readlink /proc/self/ns/pid)" ] || return 1
  # OpenSSH 8.2 and later say so in the process title; earlier only sessions had a title. The title of an ended process is empty.
  case $(tr '\000' ' ' 2>/dev/null <"/proc/$1/cmdline") in *'[listener]'*) ;; '' | 'sshd: '*) return 1 ;; esac
}

# In place of that of systemd, if a change has sshd as a part. Open sessions keep their settings.
apply_sshd() {
  for file in /run/sshd.pid /var/run/sshd.pid; do
    number=$(cat "$file" 2>/dev/null)
    is_sshd "${number:-0}" || continue
    true >"$T/sshd"
    kill -s HUP "$number"
    # sshd closes its port for a moment; the verification comes over a new connection.
    sleep 0.5
    is_sshd "$number" && return 0
    STEP=reload-sshd
    return 1
  done
  for file in $(grep -lxs sshd /proc/[0-9]*/comm); do
    number=${file#/proc/} && number=${number%/comm}
    is_sshd "$number" || continue
    # A rollback that never ends would block every later change.
    if [ "$BACK" = yes ]; then
      REMARK='sshd could not be reloaded: restart it'
      return 0
    fi
    STEP=reload-sshd
    return 1
  done
  # The rollback starts an sshd that did not survive the change.
  [ "$BACK" = yes ] && [ -e "$T/sshd" ] || return 0
  for file in /etc/init.d/ssh /etc/init.d/sshd; do
    [ ! -x "$file" ] || (
      come_clean
      # OpenRC does not start a service that it believes is running.
      case $(head -n 1 "$file") in *openrc-run*) timeout "$LIMIT" "$file" zap 2>/dev/null ;; esac
      timeout "$LIMIT" "$file" start 2>/dev/null
    ) || return 1
  done
}
