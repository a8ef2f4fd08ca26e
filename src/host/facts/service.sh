# What starts the daemon on this host, and what it says of it.
# Needs functions: condition_facts read_script read_unit say script_facts settle_units unit_facts
# Needs programs: cat

# Of those that a change can be made with; nothing for any other.
find_manager() {
  manager=
  if [ -d /run/systemd/system ]; then
    manager=systemd
  elif [ -e /run/openrc/softlevel ]; then
    manager=openrc
  elif [ "$(cat /proc/1/comm)" = init ] && [ -d /etc/rcS.d ] && [ -d /etc/init.d ]; then
    manager=sysvinit
  fi
}

read_service() {
  find_manager
  case $manager in
    openrc | sysvinit) read_script ;;
    *)
      settle_units
      read_unit
      ;;
  esac
}

service_facts() {
  say service-manager "$manager"
  case $manager in
    openrc | sysvinit) script_facts ;;
    *)
      unit_facts
      condition_facts
      ;;
  esac
}
