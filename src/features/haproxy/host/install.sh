# Installation of HAProxy by the host's package manager, from its own sources, recorded in the host's list. What fails is taken away again.
# Needs functions: names_there package_manager purge_packages result
# Needs variables: LIST NEW manager
# Needs programs: apk apt-get cat chmod comm dnf getent haproxy head mkdir mktemp mv rm systemctl tail zypper

# The distribution's service neither starts now nor at the next boot. systemd forgets a runtime mask at the next boot, whatever becomes of
# this script.
hold_service() {
  masked=no
  [ -z "$(systemctl show -p FragmentPath --value haproxy.service 2>/dev/null)" ] && systemctl mask --runtime haproxy.service >/dev/null 2>&1 && masked=yes
}

release_service() {
  [ "$masked" = yes ] || return 0
  systemctl disable haproxy.service >/dev/null 2>&1
  systemctl unmask --runtime haproxy.service >/dev/null 2>&1
  systemctl stop haproxy.service >/dev/null 2>&1
  systemctl reset-failed haproxy.service >/dev/null 2>&1
}

# apt fails instead of upgrading or removing other packages, and leaves no downloaded file.
install_haproxy() {
  case $manager in
    apt)
      mkdir "$work/partial" && chmod 0755 "$work" || return 1
      apt-get -y -q -o Dir::Cache::archives="$work" -o APT::Sandbox::User=root -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confdef \
        -o Dpkg::Options::=--force-confold --no-install-recommends --no-remove --no-upgrade install haproxy
      ;;
    dnf) dnf -y -q --setopt=install_weak_deps=False install haproxy ;;
    zypper) zypper -n -q install --no-recommends haproxy ;;
    apk) apk add -q haproxy ;;
  esac
}

install_packages() {
  # A lost connection must not interrupt the package manager.
  trap '' HUP PIPE
  export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
  umask 022
  package_manager
  work=$(mktemp -d) || exit 1
  names_there >"$work/before"
  # The list first: `remove` then finds the packages however this script ends.
  mkdir -p -- "${LIST%/*}" && {
    cat -- "$LIST" 2>/dev/null
    printf '%s\n' $NEW
    getent passwd haproxy >/dev/null || echo @account
  } >"$work/list" && cat -- "$work/list" >"$LIST.new" && mv -fT -- "$LIST.new" "$LIST" || {
    rm -rf -- "$work" "$LIST.new"
    result uninstalled "the list of packages ($LIST) cannot be written"
    return
  }
  hold_service
  if install_haproxy >"$work/log" 2>&1 </dev/null && command -v haproxy >/dev/null; then
    release_service
    names_there >"$work/after"
    {
      comm -13 "$work/before" "$work/after"
      cat -- "$work/list"
    } >"$LIST.new" && mv -fT -- "$LIST.new" "$LIST"
    result installed "$(haproxy -v 2>/dev/null | head -n 1)"
  else
    release_service
    # More than what was predicted.
    names_there >"$work/after"
    comm -13 "$work/before" "$work/after" >>"$LIST"
    purge_packages
    result uninstalled "$(tail -n 15 "$work/log")"
  fi
  rm -rf -- "$work"
}
install_packages
