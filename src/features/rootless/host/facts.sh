# The rootless daemon of the login user, and the paths of its files.
# Needs functions: file find_own_daemon find_program own_manager read_units say unit_facts
# Needs variables: NL XDG_RUNTIME_DIR dropins fragment uid
# Needs programs: cut getent id pkcheck readlink sed

find_rootless() {
  [ "$uid" != 0 ] && find_own || return 1
  reader=read_own teller=own_facts finder=find_own_program sees_others=no
}

# A user without their own systemd has no such daemon.
find_own() {
  home=$(getent passwd "$(id -u)" | cut -d : -f 6)
  lingers=no linger_file=/var/lib/systemd/linger/$(id -un)
  # polkit, which not every host has, decides whether users may enable lingering themselves.
  if [ -e "$linger_file" ]; then lingers=yes; elif pkcheck --action-id org.freedesktop.login1.set-self-linger --process $$ >/dev/null 2>&1; then lingers=may; fi
  own_manager
  RUN=$XDG_RUNTIME_DIR ROOM=$home UNITS=$home/.config/systemd/user TLS_DIRECTORY=$home/.config/docker/tls STATE=$home/.local/share/docker-tls
  [ -S "$RUN/systemd/private" ]
}

read_own() {
  read_units
  read_own_daemon
}

# systemd knows RootlessKit, the parent of dockerd in its own namespaces.
read_own_daemon() {
  if [ "${pid:-0}" -gt 0 ]; then find_own_daemon || pid=0; fi
  # The script that starts both: its version determines whether it accepts another dockerd.
  beside=
  set -f
  IFS=$NL
  for path in $(sed -n 's/^ExecStart=[^/]*\(\/[^ ]*\/dockerd-rootless\.sh\).*/\1/p' $fragment $dropins </dev/null 2>/dev/null); do
    file "$path"
    beside=${path%/*}/dockerd
  done
  # The PATH from the unit, if the daemon is stopped.
  own_search=$(sed -n 's/^Environment="\{0,1\}PATH=\([^ "]*\).*/\1/p' $fragment $dropins </dev/null 2>/dev/null | sed -n '$p' | sed "s|%h|$home|g")
  unset IFS
  set +f
}

# Sets `dockerd` to the user's program: the running one, the one next to the script, or the one in the unit's PATH. It may be in their
# home (get.docker.com/rootless), outside our PATH.
find_own_program() {
  find_program
  for path in "$(readlink "/proc/${pid:-0}/exe" 2>/dev/null)" "$beside" "$(PATH=${own_search:-/nowhere} command -v dockerd)"; do
    if [ -n "$path" ] && [ -x "$path" ]; then
      dockerd=$path
      return
    fi
  done
}

own_facts() {
  say home "$home"
  say run "$RUN"
  say owner "$(id -u):$(id -g)"
  say lingers "$lingers"
  say linger-file "$linger_file"
  unit_facts
}
