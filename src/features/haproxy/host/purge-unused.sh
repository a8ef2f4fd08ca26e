# Removal of HAProxy's packages after docker-tls itself, unless its service is still there or a change is under way.
# Needs functions: purge_packages result
# Needs variables: LIST UNIT stays

purge_unused() {
  trap '' HUP PIPE
  export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  if [ ! -e "$LIST" ] || [ -e "$UNIT" ] || [ -e "${LIST%/*}/txn" ]; then
    result kept
    return
  fi
  purge_packages
  result purged "$stays"
}
purge_unused
