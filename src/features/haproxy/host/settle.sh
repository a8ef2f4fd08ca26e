# Completion of an installation that ended early, as by a reboot: packages may be unpacked alone, and the distribution's service enabled.
# Needs functions: is_configured package_manager release_service result unmark_service
# Needs variables: LIST NEW manager
# Needs programs: dpkg dpkg-query getent grep haproxy head mktemp rm systemctl tail

# The list names the service until the end of an installation.
is_unsettled() { grep -qsx @service "$LIST" && command -v haproxy >/dev/null; }

# Of our packages, those that dpkg has to configure. Others may wait for somebody.
half_done() {
  grep -E '^[A-Za-z0-9][A-Za-z0-9._+:-]*$' "$LIST" | while read -r name; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) in unpacked | half-configured) echo "$name" ;; esac
  done
}

settle_packages() {
  trap '' HUP PIPE
  export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  package_manager
  work=$(mktemp -d) || exit 1
  systemctl mask --runtime haproxy.service >/dev/null 2>&1
  masked=yes
  : >"$work/log"
  # Another dpkg may run. rpm leaves nothing that is unpacked alone.
  if [ "$manager" = apt ]; then half=$(half_done); else half=; fi
  # shellcheck disable=SC2086 # one word each
  if [ -n "$half" ]; then
    dpkg --configure $half >"$work/log" 2>&1 </dev/null
    dpkg --triggers-only -a >/dev/null 2>&1 </dev/null
  fi
  if getent passwd haproxy >/dev/null; then
    systemctl unmask --runtime haproxy.service >/dev/null 2>&1
    # Somebody uses the service since: a removal keeps the packages and says so.
    if is_configured; then unmark_service; else release_service; fi
    result installed "$(haproxy -v 2>/dev/null | head -n 1)"
  else
    systemctl unmask --runtime haproxy.service >/dev/null 2>&1
    result uninstalled "$(tail -n 15 "$work/log")" "$NEW"
  fi
  rm -rf -- "$work"
}
