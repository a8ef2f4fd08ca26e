# sysvinit's list of what a boot runs: startpar starts no script that is not in it, whatever links there are.
# Needs variables: RECOVERY_LIST
# Needs programs: cp grep mv rm sed

# Behind what mounts the file systems. Without a list every script with a link runs, in the order of the links.
list_recovery() {
  [ -n "$RECOVERY_LIST" ] && [ -s "$RECOVERY_LIST" ] || return 0
  unlist_recovery || return 1
  cp -a -- "$RECOVERY_LIST" "$RECOVERY_LIST.docker-tls-new" &&
    {
      sed 's/^TARGETS = .*$/& docker-tls-recover/' "$RECOVERY_LIST" && printf 'docker-tls-recover: mountall.sh\n'
    } >"$RECOVERY_LIST.docker-tls-new" && mv -f -- "$RECOVERY_LIST.docker-tls-new" "$RECOVERY_LIST" || drop_new_list
}

# It could not be written whole.
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
