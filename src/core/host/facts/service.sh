# Kind of the host: the init system or runtime that starts the daemon.
# Needs functions: condition_facts find_own own_facts read_own_daemon read_script read_unit say script_facts settle_units unit_facts
# Needs programs: cat id systemctl

# Sets one of the kinds that a change supports (src/core/host/scripts.ts), or nothing. Also sets the names of its units, if any, and its
# paths.
find_kind() {
  host_kind='' SERVICE=docker.service TLS_SOCKET=docker-tls.socket LOCAL_SOCKET=docker.socket
  UNITS=/etc/systemd/system TLS_DIRECTORY=/etc/docker/tls STATE=/var/lib/docker-tls RUN=/run ROOM='/etc /var/lib'
  uid=0
  { [ -O / ] && [ -O /proc/1 ]; } || uid=$(id -u)
  if [ "$uid" != 0 ]; then
    find_own
  elif [ -d /run/systemd/system ]; then
    host_kind=systemd
    if is_podman; then host_kind=podman SERVICE=docker-tls-podman.service TLS_SOCKET=docker-tls-podman.socket LOCAL_SOCKET=podman.socket; fi
  elif [ -e /run/openrc/softlevel ]; then
    host_kind=openrc
  elif [ "$(cat /proc/1/comm)" = init ] && [ -d /etc/rcS.d ] && [ -d /etc/init.d ]; then
    host_kind=sysvinit
  fi
  DAEMON_JSON=${TLS_DIRECTORY%/*}/daemon.json
}

# Does Podman serve the API? The unit of docker-tls shows it; otherwise the absence of Docker does.
is_podman() {
  [ ! -e /etc/systemd/system/docker-tls-podman.service ] || return 0
  # Docker from snap counts as Docker, and is refused as such.
  for path in /etc/systemd/system/snap.docker*.service; do [ ! -e "$path" ] || return 1; done
  [ ! -e /etc/systemd/system/docker-tls.socket ] && command -v podman >/dev/null && ! command -v dockerd >/dev/null &&
    [ "$(systemctl show -p LoadState docker.service 2>/dev/null)" = LoadState=not-found ]
}

read_service() {
  case $host_kind in
    openrc | sysvinit) read_script ;;
    *)
      settle_units
      read_unit
      [ "$host_kind" != rootless ] || read_own_daemon
      ;;
  esac
}

service_facts() {
  say kind "$host_kind"
  case $host_kind in
    openrc | sysvinit) script_facts ;;
    rootless)
      own_facts
      unit_facts
      ;;
    *)
      unit_facts
      condition_facts
      ;;
  esac
}
