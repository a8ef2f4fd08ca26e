# The package manager of a host, and the packages that are there.
# Needs programs: awk dpkg dpkg-query find grep rpm sed sort systemctl

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

# Whether somebody has written a file that differs from what is recorded of it. dpkg that was killed just when it had put a file in its
# place records `newconffile` for good; the file keeps the package's date, older than dpkg's list, until somebody writes it.
is_written() { # FILE
  [ "$manager" = apt ] && dpkg-query -W -f '${Conffiles}\n' haproxy 2>/dev/null | grep -qxF " $1 newconffile" || return 0
  conffiles=$(dpkg-query --control-path haproxy conffiles 2>/dev/null)
  [ -z "$(find "$1" ! -newer "${conffiles%conffiles}list" 2>/dev/null)" ]
}

written_files() {
  case $manager in
    apt) dpkg -V haproxy 2>/dev/null ;;
    *) rpm -V haproxy 2>/dev/null ;;
  esac | sed -n 's/^..5.* c \//\//p' | while read -r file; do if is_written "$file"; then echo "$file"; fi; done
}

# Whether somebody has changed the configuration of the package, or the unit of its service.
is_configured() {
  [ -n "$(written_files)" ] || systemctl show -p FragmentPath -p DropInPaths haproxy.service 2>/dev/null | grep -q '[= ]/etc/systemd/'
}
