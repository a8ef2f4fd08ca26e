# The user of userns-remap=default. If dockerd is stopped while it creates the user (at the time limit, on a slow host), it leaves a user
# without ranges, and never starts again.
# Needs variables: ERR
# Needs programs: getent grep head id sed useradd usermod

# On hosts without these programs dockerd creates the user.
prepare_remap_user() {
  command -v useradd >/dev/null && command -v usermod >/dev/null || return 0
  make_remap_user 2>"$ERR" && return 0
  why=$(head -c 1900 "$ERR")
  printf 'could not make the user dockremap: %s' "$why" >"$ERR"
  return 1
}

# Sets the first ID range that no user has in subuid and subgid, counted like dockerd does: next_range FILE…. A shell would read a leading
# 0 as octal.
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

make_remap_user() {
  getent passwd dockremap >/dev/null ||
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /bin/false dockremap || return 1
  next_range /etc/subuid /etc/subgid
  add_range /etc/subuid --add-subuids && add_range /etc/subgid --add-subgids
}
