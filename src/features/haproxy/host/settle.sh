# Completion of an installation that ended early, as by a reboot: packages may be unpacked alone, and the distribution's service enabled.
# Needs functions: package_manager release_service result
# Needs variables: LIST NEW manager
# Needs programs: dpkg getent grep haproxy head mktemp rm systemctl tail

# The list names the service until the end of an installation.
is_unsettled() { grep -qsx @service "$LIST" && command -v haproxy >/dev/null; }

settle_packages() {
  trap '' HUP PIPE
  export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  package_manager
  work=$(mktemp -d) || exit 1
  systemctl mask --runtime haproxy.service >/dev/null 2>&1
  masked=yes
  : >"$work/log"
  # Another dpkg may run. rpm leaves nothing that is unpacked alone.
  if [ "$manager" = apt ]; then dpkg --configure -a >"$work/log" 2>&1 </dev/null; fi
  if getent passwd haproxy >/dev/null; then
    release_service
    result installed "$(haproxy -v 2>/dev/null | head -n 1)"
  else
    systemctl unmask --runtime haproxy.service >/dev/null 2>&1
    result uninstalled "$(tail -n 15 "$work/log")" "$NEW"
  fi
  rm -rf -- "$work"
}
