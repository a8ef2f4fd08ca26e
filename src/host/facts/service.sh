# The kind of this host, by what starts the daemon, and what it says of it.
# Needs functions: condition_facts find_own own_facts read_own_daemon read_script read_unit say script_facts settle_units unit_facts
# Needs programs: cat id

# Of those that a change can be made on (src/host/scripts.ts); nothing for any other. And the names of its units, where it has some,
# and of places.
find_kind() {
  kind='' SERVICE=docker.service TLS_SOCKET=docker-tls.socket LOCAL_SOCKET=docker.socket UNIT_PATH=''
  UNITS=/etc/systemd/system TLS_DIRECTORY=/etc/docker/tls STATE=/var/lib/docker-tls RUN=/run ROOM='/etc /var/lib'
  if [ "$(id -u)" != 0 ]; then
    find_own
  elif [ -d /run/systemd/system ]; then
    kind=systemd
  elif [ -e /run/openrc/softlevel ]; then
    kind=openrc
  elif [ "$(cat /proc/1/comm)" = init ] && [ -d /etc/rcS.d ] && [ -d /etc/init.d ]; then
    kind=sysvinit
  fi
  DAEMON_JSON=${TLS_DIRECTORY%/*}/daemon.json
}

read_service() {
  find_kind
  case $kind in
    openrc | sysvinit) read_script ;;
    *)
      settle_units
      read_unit
      [ "$kind" != rootless ] || read_own_daemon
      ;;
  esac
}

service_facts() {
  say kind "$kind"
  case $kind in
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
