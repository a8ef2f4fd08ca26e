# containerd, pulled in by a start of the daemon (Wants=). If both were down before the change, it stops with the daemon.
# Needs functions: service
# Needs variables: BACK CREATED SERVICE STATE T TAB
# Needs programs: cat grep sed systemctl

# Before the daemon starts: sets and records `pulled` if containerd is down, with the directories that it creates at start.
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

# Stops the units recorded by the change that is rolled back, or by the first change. Skips units that are now enabled or run other
# programs' containers.
stop_pulled() {
  if [ "$BACK" = yes ]; then
    names=$(cat -- "$T/pulled" 2>/dev/null)
  else
    names=$(sed -n "s/^0${TAB}unit${TAB}pulled${TAB}-${TAB}//p" "$STATE/origin/manifest" 2>/dev/null)
  fi
  for name in $names; do
    case $(systemctl show -p UnitFileState --value -- "$name" 2>/dev/null) in enabled*) continue ;; esac
    for file in $(grep -lxs containerd-shim /proc/[0-9]*/comm); do
      # A shim of a rootless Docker has another containerd.
      [ ! -O "${file%/comm}" ] || continue 2
    done
    service stop "$name" 2>/dev/null
  done
}
