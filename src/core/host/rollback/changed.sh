# Files changed by another program since the change placed them.
# Needs functions: note
# Needs variables: T
# Needs programs: cp ln readlink sha256sum

# Sets `sum` to a value to compare a path: a link's target, or a file's checksum: sum_of PATH
sum_of() {
  if [ -L "$1" ]; then
    sum=to:$(readlink -- "$1") || :
  else
    sum=$(sha256sum <"$1") && sum=${sum%% *}
  fi
}

# Records the forms that the change gives paths, or finds there, before the first rename: note_forms FORM…
note_forms() {
  for form in "$@"; do
    shift
    if [ -L "$form" ]; then
      sum_of "$form"
      printf '%s  %s\n' "$sum" "$form"
    elif [ -f "$form" ]; then set -- "$@" "$form"; fi
  done
  [ $# = 0 ] || sha256sum -- "$@"
}

# Does the path differ from all its recorded forms? A missing path differs unless it was, or became, absent.
is_changed() {
  [ -s "$T/forms" ] || return 1
  if [ -e "$1" ] || [ -L "$1" ]; then
    sum_of "$1" || return 1
    while IFS= read -r line; do
      case $line in "$sum  $1.docker-tls-"*) return 1 ;; esac
    done <"$T/forms"
    return 0
  fi
  [ -f "$1.docker-tls-old" ] && [ -f "$1.docker-tls-new" ]
}

# May the rollback restore the original: may_restore PATH. If the rollback failed before, a changed file stays: it may be what lets the
# daemon start. Otherwise the rollback saves a copy of the changed file.
may_restore() {
  is_changed "$1" || return 0
  if [ -e "$T/failed" ]; then
    changed="${changed:+$changed, }$1"
    return 1
  fi
  [ -f "$1" ] || return 0
  if ln -fPT -- "$1" "$1.docker-tls-edited" 2>/dev/null || cp -a -- "$1" "$1.docker-tls-edited"; then
    REMARK="${REMARK:+$REMARK; }$1 was changed since, and that is now $1.docker-tls-edited"
  else
    REMARK="${REMARK:+$REMARK; }$1 was changed since, and that could not be kept"
  fi
  note "$REMARK"
}
