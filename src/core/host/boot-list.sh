# sysvinit's list of boot scripts: startpar ignores scripts that are not in it, even if a link exists.
# Needs variables: RECOVERY_LIST
# Needs programs: cp grep mv rm sed

# Inserted after the scripts that mount the file systems. Without a list, init runs every linked script in the order of the links.
list_recovery() {
  [ -n "$RECOVERY_LIST" ] && [ -s "$RECOVERY_LIST" ] || return 0
  unlist_recovery || return 1
  cp -a -- "$RECOVERY_LIST" "$RECOVERY_LIST.docker-tls-new" &&
    {
      sed 's/^TARGETS = .*$/& docker-tls-recover/' "$RECOVERY_LIST" && printf 'docker-tls-recover: mountall.sh\n'
    } >"$RECOVERY_LIST.docker-tls-new" && mv -f -- "$RECOVERY_LIST.docker-tls-new" "$RECOVERY_LIST" || drop_new_list
}

# The write was incomplete.
drop_new_list() {
  rm -f -- "$RECOVERY_LIST.docker-tls-new"
  return 1
}

unlist_recovery() {
  [ -n "$RECOVERY_LIST" ] || return 0
  rm -f -- "$RECOVERY_LIST.docker-tls-new"
  grep -qs docker-tls-recover "$RECOVERY_LIST" || return 0
  cp -a -- "$RECOVERY_LIST" "$RECOVERY_LIST.docker-tls-new" &&
    sed -e '/^docker-tls-recover:/d' -e 's/ docker-tls-recover / /g' -e 's/ docker-tls-recover$//' "$RECOVERY_LIST" >"$RECOVERY_LIST.docker-tls-new" &&
    mv -f -- "$RECOVERY_LIST.docker-tls-new" "$RECOVERY_LIST" || drop_new_list
}
