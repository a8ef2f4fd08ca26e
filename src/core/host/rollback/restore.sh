# Files of a change: snapshots, replacement by rename, and restoration. Entries of other kinds are those of parts (parts.sh).
# Needs functions: may_restore
# Needs variables: DAEMON_JSON LIVE_RESTORE T TAB
# Needs programs: cat chown cp ln mv readlink rm rmdir sort stat

# Copies a file or link: copy FROM TO. Links are created anew: uutils' `cp -a` would change the mode of the link's target. `whose` is the
# link's owner.
copy() {
  if [ -L "$1" ]; then
    whose=$(stat -c %u:%g -- "$1") && ln -sT -- "$(readlink -- "$1")" "$2" &&
      { [ "$whose" = 0:0 ] && [ -O / ] && [ ! -g "${2%/*}" ] || chown -h "$whose" -- "$2"; }
  else
    cp -a -- "$1" "$2"
  fi
}

# Prints the state of a path as a snapshot line, and copies it to DIR/INDEX: snapshot_path DIR INDEX KIND PATH
snapshot_path() {
  case $3 in
    file | link | absent)
      if [ -L "$4" ]; then
        copy "$4" "$1/$2" && printf '%s\tlink\t777\t%s\t%s\n' "$2" "$whose" "$4" >>"$1/manifest"
      elif [ -e "$4" ]; then
        copy "$4" "$1/$2" && printf '%s\tfile\t%s\t%s\n' "$2" "$(stat -c "%a${TAB}%u:%g" -- "$4")" "$4" >>"$1/manifest"
      else
        printf '%s\tabsent\t-\t-\t%s\n' "$2" "$4" >>"$1/manifest"
      fi
      ;;
    *)
      state=$("state_$3" "$4")
      case $? in
        0) printf '%s\t%s\t%s\t%s\n' "$2" "$3" "$state" "$4" >>"$1/manifest" ;;
        1) ;;
        *) return 1 ;;
      esac
      ;;
  esac
}

# Replaces PATH by PATH.docker-tls-SUFFIX with one rename, and keeps the latter: place_as PATH SUFFIX
place_as() {
  # Links, and file systems without hard links, need a copy.
  if [ -L "$1.docker-tls-$2" ] || ! ln -fT -- "$1.docker-tls-$2" "$1.docker-tls-tmp" 2>/dev/null; then
    rm -f -- "$1.docker-tls-tmp" && copy "$1.docker-tls-$2" "$1.docker-tls-tmp" || return 1
  fi
  if ! mv -fT -- "$1.docker-tls-tmp" "$1" 2>/dev/null; then
    # mv refuses two names of one file; in that case a killed attempt has already replaced it.
    # shellcheck disable=SC3013 # dash, bash and busybox have -ef
    if [ -L "$1" ] || ! [ "$1" -ef "$1.docker-tls-$2" ]; then
      # busybox's mv does not replace a link to a directory.
      if [ -L "$1" ] && [ -d "$1" ]; then rm -f -- "$1" || return 1; fi
      mv -fT -- "$1.docker-tls-tmp" "$1" || return 1
    fi
  fi
  [ ! -e "$1.docker-tls-tmp" ] || rm -f -- "$1.docker-tls-tmp"
}

# Restores every path from its copy. Renames only, so a full disk cannot prevent it.
restore_files() {
  [ -f "$T/kept" ] || return 0
  bad=0
  while IFS=$TAB read -r index kind mode owner path <&3; do
    if [ "$LIVE_RESTORE" = temporary ] && [ "$path" = "$DAEMON_JSON" ]; then continue; fi
    case $kind in file | link | absent) may_restore "$path" || continue ;; esac
    case $kind in
      file | link) place_as "$path" old || bad=1 ;;
      absent) rm -f -- "$path" || bad=1 ;;
      *) "set_$kind" "$mode" "$owner" "$path" || bad=1 ;;
    esac
  done 3<"$T/kept"
  return "$bad"
}

# Deletes staged files and copies of the originals.
clear_beside() {
  [ -f "$T/manifest" ] || return 0
  set --
  while IFS=$TAB read -r index kind mode owner source path <&3; do
    case $kind in
      file | link | absent)
        for suffix in new old tmp old-on old-off new-on new-off; do set -- "$@" "$path.docker-tls-$suffix"; done
        ;;
    esac
  done 3<"$T/manifest"
  [ $# = 0 ] || rm -f -- "$@"
}

clear_blobs() {
  [ -f "$T/manifest" ] || return 0
  set --
  while IFS=$TAB read -r index kind mode owner source path <&3; do
    if [ "$kind" = blob ]; then set -- "$@" "$path"; fi
  done 3<"$T/manifest"
  [ $# = 0 ] || rm -f -- "$@"
}

# Removes directories that this change created, innermost first. Directories in use stay.
remove_created() {
  cat -- "$@" 2>/dev/null | sort -r -u | while IFS= read -r directory; do rmdir -- "$directory" 2>/dev/null || :; done
}
