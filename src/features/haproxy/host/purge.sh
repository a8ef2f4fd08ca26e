# Removal of the packages that docker-tls installed with HAProxy, but for those that something else needs by now.
# Needs functions: names_there package_manager
# Needs variables: LIST manager
# Needs programs: apk dpkg getent grep groupdel mktemp rm rmdir rpm sleep sort userdel

# Waits for another dpkg (a nightly upgrade): dpkg has no option for that.
purge_by_dpkg() {
  tries=0
  until dpkg --purge "$@" >"$log" 2>&1 </dev/null; do
    tries=$((tries + 1))
    grep -q 'locked by another process' "$log" && [ "$tries" -lt 60 ] || return 1
    sleep 2
  done
}

# rpm refuses all if one is needed, so each by itself, until none goes.
purge_by_rpm() {
  before=
  while [ "$before" != "$there" ]; do
    before=$there
    for name in $there; do rpm -e "$name" >>"$log" 2>&1 </dev/null; done
    find_there
  done
}

# Sets `there` to the names of the list that are on the host.
find_there() {
  there=$(grep -E '^[A-Za-z0-9][A-Za-z0-9._+:-]*$' "$LIST" | sort -u | { names=$(names_there) && grep -xF -e "$names"; })
}

# Sets `stays`, one name in a line.
purge_packages() {
  package_manager
  log=$(mktemp) || exit 1
  find_there
  # shellcheck disable=SC2086 # one word each
  [ -z "$there" ] || case $manager in
    apt) purge_by_dpkg $there ;;
    dnf | zypper) purge_by_rpm ;;
    # It keeps the others itself, by what was asked for.
    apk) apk del -q haproxy >"$log" 2>&1 ;;
  esac
  find_there
  stays=$there
  # After an installation that failed, triggers of other packages may still wait.
  if [ "$manager" = apt ]; then dpkg --triggers-only -a >/dev/null 2>&1 </dev/null; fi
  # Some packages leave the account and the directory that they made.
  if [ -z "$stays" ] && grep -qx @account "$LIST" 2>/dev/null; then
    rmdir -- /run/haproxy 2>/dev/null
    ! getent passwd haproxy >/dev/null || userdel haproxy >/dev/null 2>&1
    ! getent group haproxy >/dev/null || groupdel haproxy >/dev/null 2>&1
  fi
  rm -f -- "$log" "$LIST"
  rmdir -- "${LIST%/*}" 2>/dev/null
}
