# Stages: everything that is needed is on the host before anything changes
# Needs functions: copy fail make_directories step take words
# Needs variables: DAEMON_JSON ERR JSON_FORMS NL T TAB TLS_DIRECTORY UNITS
# Needs programs: cat chmod chown df ln rm sed sha256sum sort stat tail

step stage
# The mode that files are made with: open_as MODE. And mode and owner, before anything is in the file: a default access list of its directory takes
# no notice of the umask, and chown takes s bits away: settle MODE OWNER PATH
open_as() { umask "$(printf '%04o' $((0777 & ~0$1)))"; }
settle() { { [ "$2" = 0:0 ] || chown "$2" -- "$3"; } && chmod "$1" -- "$3"; }
# What comes on stdin becomes a file with its final mode and owner: arrive SIZE MODE OWNER PATH
arrive() (
  open_as "$2"
  { settle "$2" "$3" "$4" && take "$1"; } >"$4"
) 2>"$ERR"
if [ -n "$JSON_FORMS" ]; then
  make_directories "${DAEMON_JSON%/*}" 0755 || fail "$(words)"
  rm -f -- "$DAEMON_JSON.docker-tls-old-on" "$DAEMON_JSON.docker-tls-old-off" "$DAEMON_JSON.docker-tls-new-on" "$DAEMON_JSON.docker-tls-new-off"
  sizes=
  set --
  for form in $JSON_FORMS; do
    name=${form%%:*} form=${form#*:}
    size=${form%%:*} form=${form#*:}
    arrive "$size" "${form%%:*}" "${form#*:}" "$DAEMON_JSON.docker-tls-$name" || fail "$(words)"
    set -- "$@" "$DAEMON_JSON.docker-tls-$name"
    sizes="$sizes$size$NL"
  done
  [ "$(stat -c %s -- "$@")$NL" = "$sizes" ] || fail "could not store $DAEMON_JSON: $(df -Pk "${DAEMON_JSON%/*}" | tail -n 1)"
  set --
fi
true >"$T/sums"
# A file comes from stdin, from a snapshot on this host, from another file of this host, or is a second name of what is there (if anything is).
place_new() { # MODE OWNER SOURCE TARGET
  if [ -e "$4" ] || [ -L "$4" ]; then rm -f -- "$4"; fi
  case $3 in
    stdin:*)
      size=${3#stdin:}
      printf '%s  %s\n' "${size#*:}" "$4" >>"$T/sums"
      arrive "${size%%:*}" "$1" "$2" "$4" || return 1
      ;;
    same)
      now=${4%.docker-tls-new}
      if [ -e "$now" ] || [ -L "$now" ]; then ln -P -- "$now" "$4" 2>/dev/null || copy "$now" "$4" 2>"$ERR"; fi
      ;;
    snap:*) copy "${3#snap:}" "$4" 2>"$ERR" ;;
    copy:*) (
      open_as "$1"
      { settle "$1" 0:0 "$4" && cat -- "${3#copy:}"; } >"$4"
    ) 2>"$ERR" ;;
    *)
      echo "unknown source" >"$ERR"
      return 1
      ;;
  esac
}
while IFS=$TAB read -r index kind mode owner source path <&3; do
  case $kind in
    blob)
      make_directories "${path%/*}" 0700 || fail "$(words)"
      place_new "$mode" "$owner" "$source" "$path" || fail "$(words)"
      ;;
    file)
      make_directories "${path%/*}" 0755 || fail "$(words)"
      place_new "$mode" "$owner" "$source" "$path.docker-tls-new" || fail "$(words)"
      ;;
    link)
      make_directories "${path%/*}" 0755 || fail "$(words)"
      ln -sfT -- "${source#to:}" "$path.docker-tls-new" 2>"$ERR" || fail "$(words)"
      ;;
  esac
done 3<"$T/manifest"
if [ -s "$T/sums" ] && ! sha256sum -c "$T/sums" >/dev/null 2>&1; then
  fail "what was sent did not arrive whole: $(df -Pk "$TLS_DIRECTORY" "$UNITS" 2>/dev/null | sed 1d | sort -u)"
fi
