# Parts of a change that features add (src/core/seams/change-parts.ts).
# Needs functions: mark
# Needs variables: PARTS T
# Needs programs: rm

# Calls a function of each part that has it: of_parts HOOK
of_parts() {
  for part in $PARTS; do
    if command -v "$1_$part" >/dev/null; then "$1_$part" || return 1; fi
  done
}

# Brings the service of a part in line with the files in place. A later retry of the rollback tries again what has failed.
apply_part() {
  command -v "apply_$1" >/dev/null || return 0
  if "apply_$1"; then rm -f -- "$T/$1-failed"; else
    mark "$1-failed"
    return 1
  fi
}

# Does the service of a part work without the daemon? Others could start a daemon that an administrator is repairing.
is_apart() { command -v "apart_$1" >/dev/null; }
