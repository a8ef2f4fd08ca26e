# Takes away what `harden` installed, and nothing that another package needs by now. By dpkg, which removes what it is given and no more.
# Needs functions: result
# Needs variables: LIST
# Needs programs: dpkg dpkg-query grep head mktemp rm rmdir sed

is_there() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

purge_packages() {
  trap '' HUP PIPE
  export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  log=$(mktemp) || exit 1
  installed=$(grep -E '^[a-z0-9][a-z0-9+.:-]*$' "$LIST" | while read -r name; do if is_there "$name"; then printf '%s ' "$name"; fi; done)
  # shellcheck disable=SC2086 # one word each
  [ -z "$installed" ] || dpkg --purge $installed >"$log" 2>&1 </dev/null
  stays=
  for name in $installed; do if is_there "$name"; then stays="$stays$name "; fi; done
  result purged "$installed" "$stays" "$([ -z "$stays" ] || sed -n -e 's/^dpkg: error: //p' -e 's/^ *\(.* depends on .*\)\.$/\1/p' "$log" | head -n 12)"
  rm -f -- "$log" "$LIST"
  rmdir -- "${LIST%/*}" 2>/dev/null
}
purge_packages
