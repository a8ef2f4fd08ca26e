# The package manager of a host, and the packages that are there.
# Needs programs: awk dpkg-query rpm sort

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
