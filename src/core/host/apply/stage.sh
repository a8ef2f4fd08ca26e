# Staging: every file that the change needs is on the host before anything changes.
# Needs functions: begin_validation copy fail make_directories step words
# Needs variables: DAEMON_JSON ERR JSON_FORMS T TAB TLS_DIRECTORY UNITS
# Needs programs: cat chmod chown df ln rm sed sha256sum sort

step stage
# Writes a command's output to a file with its final mode and owner: arrive MODE OWNER PATH COMMAND…. chmod runs before the content is
# written, because a default ACL of the directory overrides the umask; a wrong mode would show up as drift in every plan.
arrive() {
  final=$1 whose=$2 target=$3
  shift 3
  { { chmod "$final" -- "$target" && "$@"; } >"$target"; } 2>"$ERR" || return 1
  # chown clears set-id bits.
  [ "$whose" = 0:0 ] || { chown "$whose" -- "$target" && chmod "$final" -- "$target"; } 2>>"$ERR"
}
# Writes the content that came with the script as DATA_NAME: content NAME. Only a program reports why a write fails.
content() {
  data=
  eval "data=\$DATA_$1"
  printf '%s' "$data" 2>/dev/null || printf '%s' "$data" | cat
}
true >"$T/sums"
if [ -n "$JSON_FORMS" ]; then
  make_directories "${DAEMON_JSON%/*}" 0755 || fail "$(words)"
  for path in "$DAEMON_JSON.docker-tls-old-on" "$DAEMON_JSON.docker-tls-old-off" "$DAEMON_JSON.docker-tls-new-on" "$DAEMON_JSON.docker-tls-new-off"; do
    if [ -e "$path" ] || [ -L "$path" ]; then rm -f -- "$path"; fi
  done
  for form in $JSON_FORMS; do
    name=${form%%:*} form=${form#*:}
    printf '%s  %s\n' "${form%%:*}" "$DAEMON_JSON.docker-tls-$name" >>"$T/sums"
    form=${form#*:}
    arrive "${form%%:*}" "${form#*:}" "$DAEMON_JSON.docker-tls-$name" content "${name%-*}_${name#*-}" || fail "$(words)"
  done
fi
# A file comes with the script, from stdin, from a snapshot or another file on this host, or is a hard link to the existing file.
place_new() { # MODE OWNER SOURCE TARGET INDEX
  if [ -e "$4" ] || [ -L "$4" ]; then rm -f -- "$4"; fi
  case $3 in
    data:*)
      printf '%s  %s\n' "${3#data:}" "$4" >>"$T/sums"
      arrive "$1" "$2" "$4" content "$5"
      ;;
    stdin:*)
      size=${3#stdin:}
      printf '%s  %s\n' "${size#*:}" "$4" >>"$T/sums"
      arrive "$1" "$2" "$4" take "${size%%:*}"
      ;;
    same)
      now=${4%.docker-tls-new}
      if [ -e "$now" ] || [ -L "$now" ]; then ln -P -- "$now" "$4" 2>/dev/null || copy "$now" "$4" 2>"$ERR"; fi
      ;;
    snap:*) copy "${3#snap:}" "$4" 2>"$ERR" ;;
    copy:*) arrive "$1" "$2" "$4" cat -- "${3#copy:}" ;;
    to:*) ln -sT -- "${3#to:}" "$4" 2>"$ERR" ;;
    *)
      echo "unknown source" >"$ERR"
      return 1
      ;;
  esac
}
# Stages unit files, or all others: place_entries units|others
place_entries() {
  while IFS=$TAB read -r index kind mode owner source path <&3; do
    case $path in "$UNITS"/*) group=units ;; *) group=others ;; esac
    [ "$group" = "$1" ] || continue
    case $kind in
      blob)
        make_directories "${path%/*}" 0700 || fail "$(words)"
        place_new "$mode" "$owner" "$source" "$path" "$index" || fail "$(words)"
        ;;
      file)
        make_directories "${path%/*}" 0755 || fail "$(words)"
        place_new "$mode" "$owner" "$source" "$path.docker-tls-new" "$index" || fail "$(words)"
        ;;
      link)
        make_directories "${path%/*}" 0755 || fail "$(words)"
        ln -sfT -- "${source#to:}" "$path.docker-tls-new" 2>"$ERR" || fail "$(words)"
        ;;
    esac
  done 3<"$T/manifest"
}
place_entries others
begin_validation
place_entries units
if [ -s "$T/sums" ] && ! sha256sum -c "$T/sums" >/dev/null 2>&1; then
  fail "what was sent did not arrive whole: $(df -Pk "$TLS_DIRECTORY" "$UNITS" 2>/dev/null | sed 1d | sort -u)"
fi
