# What the host's package manager would install for HAProxy, as it says itself. Changes nothing.
# Needs variables: CONFIG LIST manager
# Needs programs: apt-get awk dnf dpkg-query grep sed zypper

# Whether docker-tls has installed the package: what was removed since, comes back.
is_listed() { grep -qxF -e "$1" "$LIST" 2>/dev/null; }

# `Inst NAME [OLD] (NEW …)`: an old version means an upgrade.
apt_offer() {
  if ! found=$(apt-get -s --no-install-recommends install haproxy 2>&1 </dev/null); then
    printf '%s\n' "$found" | sed -n 's/^E: /no apt: /p'
    return
  fi
  printf '%s\n' "$found" | sed -n -e 's/^Remv \([^ ]*\).*/no apt would remove \1/p' -e 's/^Inst \([^ ]*\) \[.*/no apt would upgrade \1/p' \
    -e 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1 \2/p' | while read -r name version; do
    # dpkg kept the files of a removed package, and --purge would delete them.
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = config-files ] && ! is_listed "$name"; then
      echo "no the configuration of $name is still there, from before its removal"
    else
      echo "$name $version"
    fi
  done
}

# A table with a heading for each kind of change, and their numbers below it: dnf 4 and 5.
dnf_offer() {
  dnf --setopt=install_weak_deps=False --assumeno install haproxy 2>/dev/null </dev/null | awk '
    /^Transaction Summary/ { summary = 1; ours = 0; next }
    summary && / [0-9]+ [Pp]ackages?/ { if ($1 ~ /^Install(ing:)?$/) total = $2; else other = 1 }
    /^[A-Z].*:$/ { ours = /^Installing( dependencies)?:$/; next }
    ours && /^ [^ ]/ { n++; print (NF > 2 ? $1 " " $3 : $1) }
    END { if (other || total != n) print "no dnf would do more than install new packages" }'
}

zypper_offer() {
  zypper -x -n install --dry-run --no-recommends haproxy 2>/dev/null </dev/null | awk -F '"' '
    /<to-[a-z-]*>/ { ours = /<to-install>/ }
    /<solvable / {
      name = edition = ""
      for (n = 1; n < NF; n += 2) { if ($n ~ / name=$/) name = $(n + 1); if ($n ~ / edition=$/) edition = $(n + 1) }
      print (ours ? name " " edition : "no zypper would change " name)
    }'
}

# NAME VERSION of each package, one in a line. What would be upgraded or removed, and why nothing can be installed, begin with `no`.
look_at_offer() {
  export LC_ALL=C
  if { [ -e "$CONFIG" ] || [ -L "$CONFIG" ]; } && ! is_listed haproxy; then echo "no $CONFIG is there already, and the package would be removed with it"; fi
  case $manager in
    apt | dnf | zypper) "${manager}_offer" ;;
    *) echo 'no package manager that docker-tls knows (apt, dnf, zypper)' ;;
  esac
}
