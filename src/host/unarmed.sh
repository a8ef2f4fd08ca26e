# What is left of a change that was given up before its rollback was armed.
# Needs variables: LOCK STATE UNITS
# Needs programs: rm rmdir

# Takes it away: clear_unarmed STAGING, with UNITS STATE LOCK set
clear_unarmed() {
  rm -rf -- "$STATE/txn"
  rm -f -- "$UNITS/docker-tls-recover.service" "$UNITS/sysinit.target.wants/docker-tls-recover.service"
  if [ -s "$1/created" ]; then rmdir -- "$UNITS/sysinit.target.wants" 2>/dev/null; fi
  rmdir -- "$STATE" 2>/dev/null
  rm -rf -- "$1"
  rm -f -- "$LOCK"
}
