# Removal of packages that `harden` installed, except those that another package now needs. Uses dpkg, because it removes only the given
# packages.
# Needs functions: result
# Needs variables: LIST
# Needs programs: dpkg dpkg-query grep head mktemp mv rm rmdir sed sleep

# Also true for unpacked or half-configured packages.
is_there() {
  case $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) in '' | not-installed | config-files) return 1 ;; esac
}

# Waits for another dpkg (a nightly upgrade): dpkg has no option for that.
purge() {
  tries=0
  until dpkg --purge "$@" >"$log" 2>&1 </dev/null; do
    tries=$((tries + 1))
    grep -q 'locked by another process' "$log" && [ "$tries" -lt 60 ] || return 1
    sleep 2
  done
}

# Did dpkg keep the package because another one needs it?
is_needed() {
  grep -B 1 '^ dependency problems - not removing' "$log" | grep -qF -e "package $1 (" -e "package $1:"
}

purge_packages() {
  trap '' HUP PIPE
  export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  log=$(mktemp) || exit 1
  installed=$(grep -E '^[a-z0-9][a-z0-9+.:-]*$' "$LIST" | while read -r name; do if is_there "$name"; then printf '%s ' "$name"; fi; done)
  # shellcheck disable=SC2086 # one word each
  [ -z "$installed" ] || purge $installed
  stays='' failed=''
  for name in $installed; do
    is_there "$name" || continue
    stays="$stays$name "
    is_needed "$name" || failed="$failed$name "
  done
  result purged "$installed" "$stays" "$([ -z "$stays" ] || sed -n -e 's/^dpkg: error: //p' -e 's/^ *\(.* depends on .*\)\.$/\1/p' "$log" | head -n 12)"
  rm -f -- "$log"
  # Packages that dpkg could not purge stay in the list.
  if [ -n "$failed" ]; then
    # shellcheck disable=SC2086 # one word each
    printf '%s\n' $failed >"$LIST.new" && mv -fT -- "$LIST.new" "$LIST"
    return
  fi
  rm -f -- "$LIST"
  rmdir -- "${LIST%/*}" 2>/dev/null
}
purge_packages
