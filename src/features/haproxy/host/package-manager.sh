# The package manager of a host, and the packages that are there.
# Needs programs: apk awk dpkg-query rpm sort

# Sets `manager`; empty: none that is known.
package_manager() {
  manager=
  for one in apt-get dnf zypper apk; do
    if command -v "$one" >/dev/null 2>&1; then
      manager=${one%-get}
      return
    fi
  done
}

# Names of the packages on the host, with those that are not completely installed.
names_there() {
  case $manager in
    apt) dpkg-query -W -f '${db:Status-Status} ${Package}\n' | awk '$1 != "not-installed" && $1 != "config-files" { print $2 }' ;;
    dnf | zypper) rpm -qa --qf '%{NAME}\n' ;;
    apk) apk info 2>/dev/null ;;
  esac | LC_ALL=C sort -u
}
