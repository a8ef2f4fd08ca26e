# Kernel audit rules. They are outside the transaction: a rejected rule is a warning and causes no rollback.
# Needs functions: mark warn
# Needs variables: T
# Needs programs: auditctl augenrules cat grep rm tail tr

AUDIT_DIRECTORY=${AUDIT_DIRECTORY:-/etc/audit}

# Rules of docker-tls carry the key docker-tls, so the kernel can drop exactly those. Rules that other programs have loaded stay, even
# those in no file. `augenrules --load` would drop all rules (or none, without -D in rules.d), and stops at the first rule that it cannot
# load.
apply_audit_rules() {
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

# Generates audit.rules from rules.d for the next boot, and removes augenrules' backup of the old file.
write_audit_rules() {
  [ -e "$T/audit-generated" ] || return 0
  had=no
  if [ -e "$AUDIT_DIRECTORY/audit.rules.prev" ]; then had=yes; fi
  # Through a pipe and without the mutex: SELinux forbids augenrules to write to files of docker-tls and to read the directory of units.
  output=$(augenrules 2>&1 9<&-) || warn "audit rules: augenrules failed: $(printf '%s' "$output" | tail -n 3 | tr '\n' ' ')"
  if [ "$had" = no ]; then rm -f -- "$AUDIT_DIRECTORY/audit.rules.prev"; fi
}

# Marks with `audit-generated` that audit.rules matched the output of augenrules. Checked before the first rename: augenrules would drop the
# rules of an administrator who edits audit.rules by hand. Two differences do not indicate that: audit.rules lacks rules of rules.d (the
# kernel may have been locked, or absent), or rules.d lacks rules of docker-tls.
keep_audit_rules() {
  early=no
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
