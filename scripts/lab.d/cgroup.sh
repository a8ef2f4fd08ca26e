# shellcheck shell=bash
# A control group of its own for each host: one container's tree must not meet another's, and all can be killed at once.

cgroup_top() { findmnt -n -o TARGET -t cgroup2 --first-only; }
cgroup_directory() { # NAME
  local place=''
  [[ $HOSTS == /var/lib/docker-tls-lab/hosts ]] || place=${HOSTS//\//.}. # others may have a host of the same name
  printf '%s/docker-tls-lab/%s%s' "$(cgroup_top)" "$place" "$1"
}

cgroup_enter() { # NAME
  local group
  group=$(cgroup_directory "$1")
  mkdir -p "$group"
  printf '%s\n' "$BASHPID" >"$group/cgroup.procs"
}

cgroup_kill() { # GROUP: returns when it is empty, and gives up after five seconds
  local turn
  for ((turn = 0; turn < 100; turn++)); do
    grep -qs 'populated 1' "$1/cgroup.events" || return 0
    printf 1 >"$1/cgroup.kill"
    sleep 0.05
  done
}
