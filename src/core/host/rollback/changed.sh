# Files that somebody has changed since the change put them there.
# Needs functions: note
# Needs variables: T
# Needs programs: cp ln readlink sha256sum

# What a path is, for a comparison: a link by where it leads, a file by its sum: sum_of PATH
sum_of() {
  if [ -L "$1" ]; then
    printf 'to:%s' "$(readlink -- "$1")"
  else
    sum=$(sha256sum <"$1") && printf '%s' "${sum%% *}"
  fi
}

# Notes the forms that this change gives paths, or finds there, from before the first rename: note_forms FORM…
note_forms() {
  for form in "$@"; do
    shift
    if [ -L "$form" ]; then printf '%s  %s\n' "$(sum_of "$form")" "$form"; elif [ -f "$form" ]; then set -- "$@" "$form"; fi
  done
  [ $# = 0 ] || sha256sum -- "$@"
}

# Is there something else than any of its forms? Where it is gone, that is so unless it was, or became, absent.
is_changed() {
  [ -s "$T/forms" ] || return 1
  if [ -e "$1" ] || [ -L "$1" ]; then
    now=$(sum_of "$1") || return 1
    while IFS= read -r line; do
      case $line in "$now  $1.docker-tls-"*) return 1 ;; esac
    done <"$T/forms"
    return 0
  fi
  [ -f "$1.docker-tls-old" ] && [ -f "$1.docker-tls-new" ]
}

# May the rollback put back what was there: may_restore PATH. What somebody has changed since stays where the rollback has failed before: it may be what
# lets the daemon start. Otherwise it is kept beside.
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
