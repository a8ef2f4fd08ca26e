# Kind of the host: the init system or runtime that starts the daemon.
# Needs functions: condition_facts read_unit say settle_units unit_facts
# Needs variables: KINDS
# Needs programs: id systemctl

# Sets the first of KINDS of which the function find_KIND recognizes the host, or nothing. Such a function also sets what differs from systemd: the
# names of units, if any, paths, the functions that read the daemon's service, tell of it and find its program, and whether daemons of other users
# can be inspected.
find_kind() {
  host_kind='' SERVICE=docker.service TLS_SOCKET=docker-tls.socket LOCAL_SOCKET=docker.socket
  UNITS=/etc/systemd/system TLS_DIRECTORY=/etc/docker/tls STATE=/var/lib/docker-tls RUN=/run ROOM='/etc /var/lib'
  reader=read_units teller=tell_units finder=find_program sees_others=yes
  uid=0
  { [ -O / ] && [ -O /proc/1 ]; } || uid=$(id -u)
  for known in $KINDS; do
    if "find_$known"; then
      host_kind=$known
      break
    fi
  done
  DAEMON_JSON=${TLS_DIRECTORY%/*}/daemon.json
}

by_systemd() { [ "$uid" = 0 ] && [ -d /run/systemd/system ]; }

find_systemd() { by_systemd; }

find_podman() {
  by_systemd && is_podman || return 1
  SERVICE=docker-tls-podman.service TLS_SOCKET=docker-tls-podman.socket LOCAL_SOCKET=podman.socket
}

# Does Podman serve the API? The unit of docker-tls shows it; otherwise the absence of Docker does.
is_podman() {
  [ ! -e /etc/systemd/system/docker-tls-podman.service ] || return 0
  # Docker from snap counts as Docker, and is refused as such.
  for path in /etc/systemd/system/snap.docker*.service; do [ ! -e "$path" ] || return 1; done
  [ ! -e /etc/systemd/system/docker-tls.socket ] && command -v podman >/dev/null && ! command -v dockerd >/dev/null &&
    [ "$(systemctl show -p LoadState docker.service 2>/dev/null)" = LoadState=not-found ]
}

read_service() { "$reader"; }

read_units() {
  settle_units
  read_unit
}

service_facts() {
  say kind "$host_kind"
  "$teller"
}

tell_units() {
  unit_facts
  condition_facts
}
