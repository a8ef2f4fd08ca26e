# containerd, which a start of the daemon brings along (Wants=): where the daemon was down, and it was, it stops with it.
# Needs functions: service
# Needs variables: BACK CREATED SERVICE STATE T TAB
# Needs programs: cat grep sed systemctl

# Before the daemon starts: sets `pulled` to it where it does not run, and notes that; also the directories that it makes when it starts.
note_pulled() {
  pulled=
  for name in $(systemctl show -p Wants --value -- "$SERVICE" 2>/dev/null); do
    case $name in containerd.service) systemctl -q is-active -- "$name" || pulled="$pulled $name" ;; esac
  done
  printf '%s\n' "$pulled" >"$T/pulled" || return 1
  [ -n "$pulled" ] || return 0
  for directory in /etc/cni /etc/cni/net.d; do
    [ -e "$directory" ] || printf '%s\n' "$directory" >>"$CREATED" || return 1
  done
}

# Those of the change that is rolled back, or else of before the first one. Not one that is enabled by now, or that runs containers of others.
stop_pulled() {
  if [ "$BACK" = yes ]; then
    names=$(cat -- "$T/pulled" 2>/dev/null)
  else
    names=$(sed -n "s/^0${TAB}unit${TAB}pulled${TAB}-${TAB}//p" "$STATE/origin/manifest" 2>/dev/null)
  fi
  for name in $names; do
    case $(systemctl show -p UnitFileState --value -- "$name" 2>/dev/null) in enabled*) continue ;; esac
    for file in $(grep -lxs containerd-shim /proc/[0-9]*/comm); do
      # Of a user's own Docker it is another.
      [ ! -O "${file%/comm}" ] || continue 2
    done
    service stop "$name" 2>/dev/null
  done
}
