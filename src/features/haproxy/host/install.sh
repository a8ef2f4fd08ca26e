# Installation of HAProxy by the host's package manager, from its own sources, recorded in the host's list. What fails is taken away again.
# Needs functions: is_ours is_unsettled look_at_offer package_manager purge_packages result settle_packages
# Needs variables: LIST NEW manager
# Needs programs: apt-get awk cat chmod dnf getent grep haproxy head mkdir mktemp mv rm sort systemctl tail zypper

# The distribution's service neither starts now nor at the next boot. systemd forgets a runtime mask at the next boot, whatever becomes of
# this script.
hold_service() {
  masked=no
  [ -z "$(systemctl show -p FragmentPath --value haproxy.service 2>/dev/null)" ] && systemctl mask --runtime haproxy.service >/dev/null 2>&1 && masked=yes
}

release_service() {
  [ "$masked" = yes ] || return 0
  # systemd does not disable what is masked.
  systemctl unmask --runtime haproxy.service >/dev/null 2>&1
  systemctl disable haproxy.service >/dev/null 2>&1
  systemctl stop haproxy.service >/dev/null 2>&1
  systemctl reset-failed haproxy.service >/dev/null 2>&1
  unmark_service
}

unmark_service() { grep -vx @service "$LIST" >"$LIST.new" && mv -fT -- "$LIST.new" "$LIST"; }

# apt fails instead of upgrading or removing other packages, and leaves no downloaded file.
install_haproxy() {
  case $manager in
    apt)
      mkdir "$work/partial" && chmod 0755 "$work" || return 1
      apt-get -y -q -o Dir::Cache::archives="$work" -o APT::Sandbox::User=root -o Dpkg::Options::=--force-confdef \
        -o Dpkg::Options::=--force-confold --no-install-recommends --no-remove --no-upgrade install haproxy
      ;;
    dnf) dnf -y -q --setopt=install_weak_deps=False install haproxy ;;
    zypper) zypper -n -q install --no-recommends haproxy ;;
  esac
}

# Whether the package manager would bring what the plan names, now that no other job of apt runs: what such a job has just installed is not
# ours.
offers_the_same() {
  if [ "$manager" = apt ]; then apt-get -q -o DPkg::Lock::Timeout=120 check >"$work/log" 2>&1 </dev/null || return 1; fi
  # An obstacle begins with `no`, which is none of the names.
  look_at_offer >"$work/log"
  [ "$(awk '{ print $1 }' "$work/log" | sort -u)" = "$(printf '%s\n' $NEW | sort -u)" ]
}

# The list first: `remove` then finds the packages however this script ends. @account: the account is theirs. @service: the distribution's
# service may be enabled.
write_list() {
  list=$(
    cat -- "$LIST" 2>/dev/null
    printf '%s\n' $NEW
    getent passwd haproxy >/dev/null || echo @account
    [ "$masked" = no ] || echo @service
  )
  mkdir -p -- "${LIST%/*}" && printf '%s\n' "$list" >"$LIST.new" && mv -fT -- "$LIST.new" "$LIST"
}

install_packages() {
  # A lost connection must not interrupt the package manager.
  trap '' HUP PIPE
  export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
  umask 022
  package_manager
  work=$(mktemp -d) || exit 1
  if ! offers_the_same; then
    result uninstalled "$(echo 'the package manager does not offer what the plan names' && tail -n 15 "$work/log")" ''
    rm -rf -- "$work"
    return
  fi
  hold_service
  if ! write_list; then
    release_service
    rm -rf -- "$work" "$LIST.new"
    result uninstalled "the list of packages ($LIST) cannot be written" ''
    return
  fi
  if install_haproxy >"$work/log" 2>&1 </dev/null && command -v haproxy >/dev/null; then
    release_service
    result installed "$(haproxy -v 2>/dev/null | head -n 1)"
  else
    release_service
    needed='' failed=$NEW
    if is_ours; then purge_packages; fi
    result uninstalled "$(tail -n 15 "$work/log")" "$needed$failed"
  fi
  rm -rf -- "$work"
}
if is_unsettled; then settle_packages; else install_packages; fi
