# Facts about paths: mode, owner and content.
# Needs functions: end say
# Needs variables: NL
# Needs programs: cat find readlink stat

# Paths to read in full (`file`), or with mode and owner only (`look`). All are read together at the end, because one process for each
# would cost more than everything else. find would take a path without a leading slash for an expression.
paths=
filed=
looked=
file() {
  case $1 in
    *"$NL"*) return 0 ;;
    # These files have content but size 0.
    /proc/* | /sys/*) ;;
    /*) filed=$filed$1$NL ;;
  esac
  paths=$paths$1$NL
}
look() { case $1 in *"$NL"*) ;; /*) looked=$looked$1$NL ;; esac }

# Adds a configuration file; for a link, also its target.
followed() {
  file "$1"
  [ -L "$1" ] || return 0
  real=$(readlink -f -- "$1")
  case $real in '' | *"$NL"*) return 0 ;; esac
  say "leads:$1" "$real"
  file "$real"
}

# Prints the attributes of existing paths in request order, then the concatenated contents of the files. The reader splits the contents by
# size, so both must agree (src/core/domain/plan/host-files.ts). Files over 1 MiB come without content.
paths_facts() {
  say paths "$paths"
  set -f
  IFS=$NL
  if find / -maxdepth 0 -printf '' 2>/dev/null; then
    find $filed -maxdepth 0 \( -type f ! -readable -printf 'u %m %U:%G 0\0%p\0\0' -o -printf '%y %m %U:%G %s\0%p\0%l\0' \) 2>/dev/null
    end attributes
    find $filed -maxdepth 0 -type f -readable -size -1025k -exec cat -- {} + 2>/dev/null
    end contents
    find $looked -maxdepth 0 -printf '%y %m %U:%G\0%p\0' 2>/dev/null
    end modes
  else
    for path in $filed; do printf_path "$path" '%a %u:%g %s' link; done
    end attributes
    for path in $filed; do
      if [ ! -L "$path" ] && [ -f "$path" ] && [ "$(stat -c %s -- "$path")" -le 1048576 ]; then cat -- "$path"; fi
    done
    end contents
    for path in $looked; do printf_path "$path" '%a %u:%g'; done
    end modes
  fi
  unset IFS
  set +f
}

# Prints find's line on hosts whose find (busybox) has no -printf: printf_path PATH FORMAT [link]
printf_path() {
  if [ -L "$1" ]; then kind=l; elif [ -f "$1" ]; then kind=f; elif [ -d "$1" ]; then
    kind=d
  elif [ -p "$1" ]; then kind=p; elif [ -e "$1" ]; then kind=o; else return 0; fi
  printf '%s %s\0%s\0' "$kind" "$(stat -c "$2" -- "$1")" "$1"
  [ -z "${3:-}" ] || {
    if [ "$kind" = l ]; then readlink -n -- "$1"; fi
    printf '\0'
  }
}
