# Removal of the packages that docker-tls installed with HAProxy, but for those that something else needs by now.
# Needs functions: names_there package_manager
# Needs variables: LIST UNIT manager
# Needs programs: dpkg getent grep groupdel mktemp mv rm rmdir rpm sleep sort systemctl userdel

# Whether there are any, no listener of docker-tls runs there, and no change is under way.
is_ours() { [ -e "$LIST" ] && [ ! -e "$UNIT" ] && [ ! -e "${LIST%/*}/txn" ]; }

# Sets `there` to the names of the list that are on the host. Fails if that cannot be told.
find_there() {
  there=$(grep -E '^[A-Za-z0-9][A-Za-z0-9._+:-]*$' "$LIST" | sort -u)
  names_there >"$purge/there" || return 1
  there=$(printf '%s\n' "$there" | grep -xF -f "$purge/there")
  return 0
}

# Waits for another dpkg (a nightly upgrade): dpkg has no option for that.
purge_by_dpkg() {
  tries=0
  until dpkg --purge "$@" >"$purge/log" 2>&1 </dev/null; do
    tries=$((tries + 1))
    grep -q 'locked by another process' "$purge/log" && [ "$tries" -lt 60 ] || break
    sleep 2
  done
  for name in "$@"; do
    if grep -B 1 '^ dependency problems - not removing' "$purge/log" | grep -qF -e "package $name (" -e "package $name:"; then echo "$name"; fi
  done >"$purge/needed"
}

# rpm refuses all if one is needed, so each by itself, until none goes.
purge_by_rpm() {
  before=
  while [ "$before" != "$there" ]; do
    before=$there
    for name in $there; do
      rpm -e "$name" >"$purge/log" 2>&1 </dev/null || { if grep -q ' is needed by ' "$purge/log"; then echo "$name"; fi; }
    done >"$purge/needed"
    find_there || return
  done
}

# Sets `needed`, what others need, and `failed`, what is left for another reason and stays in the list; one name in a line.
purge_packages() {
  package_manager
  purge=$(mktemp -d) || exit 1
  # The installation ended before it could do that.
  if grep -qx @service "$LIST"; then systemctl disable --now haproxy.service >/dev/null 2>&1; fi
  needed='' failed=''
  true >"$purge/needed"
  if find_there && [ -n "$there" ]; then
    # shellcheck disable=SC2086 # one word each
    case $manager in
      apt) purge_by_dpkg $there ;;
      dnf | zypper) purge_by_rpm ;;
    esac
  fi
  if find_there; then
    needed=$(printf '%s\n' "$there" | grep -xF -f "$purge/needed")
    failed=$(printf '%s\n' "$there" | grep . | grep -vxF -f "$purge/needed")
  else
    failed=$there
  fi
  # After an installation that failed, triggers of other packages may still wait.
  if [ "$manager" = apt ]; then dpkg --triggers-only -a >/dev/null 2>&1 </dev/null; fi
  # Some packages leave the account and the directory that they made.
  if [ -z "$needed$failed" ] && grep -qx @account "$LIST"; then
    # Left if the service of the package has run.
    rm -f -- /run/haproxy/admin.sock
    rmdir -- /run/haproxy 2>/dev/null
    if [ ! -s /var/lib/haproxy/dev/log ]; then rm -f -- /var/lib/haproxy/dev/log; fi
    rmdir -- /var/lib/haproxy/dev /var/lib/haproxy 2>/dev/null
    ! getent passwd haproxy >/dev/null || userdel haproxy >/dev/null 2>&1
    ! getent group haproxy >/dev/null || groupdel haproxy >/dev/null 2>&1
  fi
  rm -rf -- "$purge"
  if [ -n "$failed" ]; then
    grep -x @account "$LIST" >"$LIST.new"
    printf '%s\n' "$failed" >>"$LIST.new" && mv -fT -- "$LIST.new" "$LIST"
    return
  fi
  forget_packages
}

forget_packages() {
  rm -f -- "$LIST"
  rmdir -- "${LIST%/*}" 2>/dev/null
}
