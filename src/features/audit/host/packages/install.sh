# Installation of packages by apt, recorded in the host's list. apt fails instead of upgrading or removing other packages.
# Needs functions: result
# Needs variables: LIST NAMES NEW
# Needs programs: apt-get cat dpkg-query mkdir mktemp mv rm sort systemctl tail

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_packages() {
  # A lost connection must not interrupt apt.
  trap '' HUP PIPE
  export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
  umask 022
  daemon=$(systemctl show -p MainPID docker.service 2>/dev/null)
  log=$(mktemp) || exit 1
  # Write the list first: `remove` then finds the packages however this script ends.
  for name in $NEW; do is_installed "$name" || printf '%s\n' "$name"; done >"$log"
  mkdir -p -- "${LIST%/*}" || exit 1
  cat -- "$LIST" "$log" 2>/dev/null | sort -u >"$LIST.new" && mv -fT -- "$LIST.new" "$LIST" || exit 1
  # shellcheck disable=SC2086 # one word each
  if apt-get -y -q -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    --no-install-recommends --no-remove --no-upgrade install $NAMES >"$log" 2>&1 </dev/null; then
    [ "$daemon" = "$(systemctl show -p MainPID docker.service 2>/dev/null)" ] && daemon=
    result installed "$daemon"
  else
    result uninstalled "$(tail -n 15 "$log")"
  fi
  rm -f -- "$log"
}
install_packages
