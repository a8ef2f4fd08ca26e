# Remains of a change that ended before its rollback was armed.
# Needs functions: unlist_recovery
# Needs variables: LOCK RECOVERY RECOVERY_LINK STATE
# Needs programs: rm rmdir

# Deletes them: clear_unarmed STAGING
clear_unarmed() {
  rm -rf -- "$STATE/txn"
  unlist_recovery
  rm -f -- "$RECOVERY" "$RECOVERY_LINK"
  if [ -s "$1/created" ]; then rmdir -- "${RECOVERY_LINK%/*}" 2>/dev/null; fi
  rmdir -- "$STATE" 2>/dev/null
  rm -rf -- "$1"
  rm -f -- "$LOCK"
}
