# Paths on the host: what is there, with mode, owner and content.
# Needs functions: end say
# Needs variables: NL
# Needs programs: cat find readlink stat

# Paths of which everything (`file`), or only mode and owner (`look`), is wanted. They are read together at the end: a process for each
# would cost more than everything else. What does not begin with a slash would be an expression to find.
paths=
filed=
looked=
file() {
  case $1 in
    *"$NL"*) return 0 ;;
    # What is there has content and no size.
    /proc/* | /sys/*) ;;
    /*) filed=$filed$1$NL ;;
  esac
  paths=$paths$1$NL
}
look() { case $1 in *"$NL"*) ;; /*) looked=$looked$1$NL ;; esac }

# A file of settings: where it is a link, also the path that it leads to and what is there.
followed() {
  file "$1"
  [ -L "$1" ] || return 0
  real=$(readlink -f -- "$1")
  case $real in '' | *"$NL"*) return 0 ;; esac
  say "leads:$1" "$real"
  file "$real"
}

# The attributes of what is there, in the order of asking, and then the content of the files among it, one after the other: they are cut
# by the sizes, so the two have to agree (src/core/domain/plan/host-files.ts). A file of more than 1 MiB has no content here.
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

# The same line as find's, where find (busybox) has no -printf: printf_path PATH FORMAT [link]
printf_path() {
  if [ -L "$1" ]; then kind=l; elif [ -f "$1" ]; then kind=f; elif [ -e "$1" ]; then kind=o; else return 0; fi
  printf '%s %s\0%s\0' "$kind" "$(stat -c "$2" -- "$1")" "$1"
  [ -z "${3:-}" ] || {
    if [ "$kind" = l ]; then readlink -n -- "$1"; fi
    printf '\0'
  }
}
