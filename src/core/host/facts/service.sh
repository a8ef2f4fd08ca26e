# Kind of the host: the init system or runtime that starts the daemon.
# Needs functions: condition_facts read_unit say settle_units unit_facts
# Needs variables: KINDS
# Needs programs: id

# Sets the first of KINDS of which the function find_KIND recognizes the host, or nothing. Such a function also sets what differs from systemd: the
# names of units, if any, paths, the functions that read the daemon's service, tell of it, ask it and find its program, and whether daemons of other
# users can be inspected.
find_kind() {
  host_kind='' SERVICE=docker.service TLS_SOCKET=docker-tls.socket LOCAL_SOCKET=docker.socket
  UNITS=/etc/systemd/system TLS_DIRECTORY=/etc/docker/tls STATE=/var/lib/docker-tls RUN=/run ROOM='/etc /var/lib'
  reader=read_units teller=tell_units finder=find_program asker=daemon_facts sees_others=yes
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

find_systemd() { [ "$uid" = 0 ] && [ -d /run/systemd/system ]; }

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
