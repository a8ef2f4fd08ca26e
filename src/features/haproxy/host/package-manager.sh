# The package manager of a host, and the packages that are there.
# Needs programs: awk dpkg dpkg-query grep rpm sort systemctl

# Sets `manager`; empty: none that can say beforehand what an installation brings.
package_manager() {
  manager=
  for one in apt-get dnf zypper; do
    if command -v "$one" >/dev/null 2>&1; then
      manager=${one%-get}
      return
    fi
  done
}

# Names of the packages on the host, with those that are not completely installed. Fails if they cannot be read.
names_there() {
  found=$(case $manager in
    apt) dpkg-query -W -f '${db:Status-Status} ${Package}\n' ;;
    dnf | zypper) rpm -qa --qf 'installed %{NAME}\n' ;;
  esac) && [ -n "$found" ] || return 1
  printf '%s\n' "$found" | awk '$1 != "not-installed" && $1 != "config-files" { print $2 }' | LC_ALL=C sort -u
}

# Whether somebody has changed the configuration of the package, or the unit of its service.
is_configured() {
  case $manager in
    apt) dpkg -V haproxy 2>/dev/null ;;
    *) rpm -V haproxy 2>/dev/null ;;
  esac | grep -q '^..5.* c /' || systemctl show -p FragmentPath -p DropInPaths haproxy.service 2>/dev/null | grep -q '[= ]/etc/systemd/'
}
