# Begins to ask dockerd whether it would start with its new configuration, and makes the user that it would make by itself meanwhile.
# Needs functions: fail step words
# Needs variables: ERR REMAP T VALIDATE
# Needs programs: getent grep id sed sh useradd usermod

# What no user has of the numbers in subuid and subgid, as dockerd counts it: next_range FILE…. A shell would take what begins with 0 for octal.
next_range() {
  next=100000
  while IFS=: read -r name first count; do
    case $first:$count in :* | *: | *[!0-9:]*) continue ;; esac
    if [ $((first + count)) -gt "$next" ]; then next=$((first + count)); fi
  done <<RANGES
$(sed 's/:00*\([0-9]\)/:\1/g' "$@" 2>/dev/null)
RANGES
}

# add_range FILE OPTION
add_range() {
  if grep -q -e '^dockremap:' -e "^$(id -u dockremap):" "$1" 2>/dev/null; then return 0; fi
  usermod "$2" "$next-$((next + 65535))" dockremap
}

# The user of userns-remap=default. Where dockerd makes it, and is stopped meanwhile (on a slow host when its time is over), it leaves one
# without ranges, with which it never starts again.
make_remap_user() {
  getent passwd dockremap >/dev/null ||
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /bin/false dockremap || return 1
  next_range /etc/subuid /etc/subgid
  add_range /etc/subuid --add-subuids && add_range /etc/subgid --add-subgids
}

# Hosts without these programs leave it to dockerd.
if [ "$REMAP" = yes ] && command -v useradd >/dev/null && command -v usermod >/dev/null; then
  make_remap_user 2>"$ERR" || fail "could not make the user dockremap: $(words)"
fi
if [ -n "$VALIDATE" ]; then
  step validate
  # dockerd takes longer for it than the next step, which changes nothing: nothing is switched before its answer (switch.sh). It does not get the mutex.
  sh -c "$VALIDATE" >"$T/validation" 2>&1 </dev/null 9<&- &
  validation=$!
fi
