# Rules of the kernel's audit. They are not part of the transaction: a rule that is rejected is a warning, and undoes nothing.
# Needs functions: mark warn
# Needs variables: AUDIT_DIRECTORY T
# Needs programs: auditctl augenrules cat grep rm tail tr

# Rules of ours carry the key docker-tls, so that the kernel can be asked to drop those and no others: what another program has loaded, be it by
# hand and in no file, stays as it is. Hence no `augenrules --load`, which drops all (or, without -D in rules.d, none), and stops at the
# first rule that it cannot load. A rule that is rejected is a warning, and no reason to roll back.
load_audit_rules() {
  kernel=$(auditctl -s 2>/dev/null 9<&-) || return 0
  write_audit_rules
  case $kernel in
    *'enabled 2'* | *'enabled=2'*)
      warn 'audit rules: the kernel keeps the loaded ones until its next boot (-e 2)'
      return 0
      ;;
  esac
  auditctl -D -k docker-tls >/dev/null 2>&1 9<&-
  [ -f "$AUDIT_DIRECTORY/rules.d/docker-tls.rules" ] || return 0
  while IFS= read -r rule <&3; do
    case $rule in -*) ;; *) continue ;; esac
    # shellcheck disable=SC2086 # its words; paths in it have no blanks
    output=$(auditctl $rule 2>&1 3<&- 9<&-) || warn "audit rules: the kernel did not take \"$rule\": $(printf '%s' "$output" | grep -v '^Old style' | tail -n 1)"
  done 3<"$AUDIT_DIRECTORY/rules.d/docker-tls.rules"
}

# For the next boot: audit.rules out of rules.d, with the copy that augenrules leaves of the old one taken away.
write_audit_rules() {
  [ -e "$T/audit-generated" ] || return 0
  had=no
  if [ -e "$AUDIT_DIRECTORY/audit.rules.prev" ]; then had=yes; fi
  # By a pipe, and without the mutex: SELinux lets what it starts write to no file of ours, and not read the directory of units.
  output=$(augenrules 2>&1 9<&-) || warn "audit rules: augenrules failed: $(printf '%s' "$output" | tail -n 3 | tr '\n' ' ')"
  if [ "$had" = no ]; then rm -f -- "$AUDIT_DIRECTORY/audit.rules.prev"; fi
}

# Asked before the first rename: augenrules would take away the rules of an administrator who keeps audit.rules by hand. Rules that are in rules.d and
# not yet in it are no sign of that, nor are ours the other way round: the kernel may have been locked, or not there.
keep_audit_rules() {
  case $(augenrules --check 2>/dev/null 9<&-) in
    *'No change'*) mark audit-generated ;;
    *'Rules have changed'*)
      other_rules "$AUDIT_DIRECTORY"/rules.d/*.rules >"$T/audit-others"
      other_rules "$AUDIT_DIRECTORY/audit.rules" | grep -qvxF -f "$T/audit-others" || mark audit-generated
      ;;
  esac
}

other_rules() {
  cat -- "$@" 2>/dev/null | tr -d '\r' | grep -v -e '^[[:space:]]*#' -e '^[[:space:]]*$' -e ' -k docker-tls$'
}
