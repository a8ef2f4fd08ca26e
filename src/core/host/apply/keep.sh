# Backup of the originals: next to their paths, and on the first change also in the origin.
# Needs functions: copy fail note_forms note_pulled snapshot_path step words
# Needs variables: CREATED ERR NL SERVICE SOCKET_WAS_ACTIVE STATE T TAB TLS_DIRECTORY UNITS WAS_ACTIVE
# Needs programs: df grep ln mkdir mv readlink rm sync tail

step keep
# Copies the origin for additions by this change. Most changes add nothing.
own_origin() {
  [ ! -d "$T/origin" ] || return 0
  mkdir -p "$T/origin" 2>"$ERR" || fail "$(words)"
  for first in "$STATE"/origin/*; do
    if [ -e "$first" ] || [ -L "$first" ]; then copy "$first" "$T/origin/${first##*/}" 2>"$ERR" || fail "$(words)"; fi
  done
}
# The origin also records whether docker ran and its socket listened before the first change.
if [ "$WAS_ACTIVE" = yes ]; then was=active; else was=inactive; fi
if [ "$SOCKET_WAS_ACTIVE" = yes ]; then listened=active; else listened=inactive; fi
pulled=
[ "$WAS_ACTIVE" = yes ] || note_pulled 2>"$ERR" || fail "$(words)"
origin=$STATE/origin
if [ ! -f "$origin/manifest" ]; then
  own_origin
  origin=$T/origin
  # An administrator deleted the records but left credentials of docker-tls: `remove` deletes their directory later.
  left=$(readlink -- "$TLS_DIRECTORY/current" 2>/dev/null)
  case $left in
    '' | *[!0-9]*) ;;
    *) printf '%s\n' "$TLS_DIRECTORY" "$TLS_DIRECTORY/$left" "$UNITS/$SERVICE.d" >>"$CREATED" || fail "$(df -Pk "$STATE" | tail -n 1)" ;;
  esac
  printf '0\tunit\t%s\t-\t%s\n' "$was" docker.service "$listened" docker.socket >"$origin/manifest" || fail "$(df -Pk "$STATE" | tail -n 1)"
  for name in $pulled; do printf '0\tunit\tpulled\t-\t%s\n' "$name"; done >>"$origin/manifest" || fail "$(df -Pk "$STATE" | tail -n 1)"
fi
known=$NL count=0
while IFS=$TAB read -r index kind mode owner path <&3; do
  known=$known$path$NL count=$((count + 1))
done 3<"$origin/manifest"
# A path that cannot have a hard link (mount, immutable file) may not be replaceable either, and the rollback could not fix that. So it
# gets a copy, and a replacement by identical content tests the rename.
keep_copy() {
  rm -f -- "$1.docker-tls-old" "$1.docker-tls-tmp" &&
    copy "$1" "$1.docker-tls-old" && copy "$1" "$1.docker-tls-tmp" && mv -fT -- "$1.docker-tls-tmp" "$1"
}
# A path without an origin, left from before the records were deleted: it has a docker-tls name, and a file also names its owner in its
# content.
is_ours() {
  case $1 in
    "$TLS_DIRECTORY/"* | "$UNITS/docker-tls"* | "$UNITS/"*.wants/docker-tls* | \
      "$UNITS/$SERVICE.d/docker-tls-loopback.conf" | "$UNITS/$SERVICE.d/zz-docker-tls.conf" | "$UNITS/$SERVICE.d/~"*zz-docker-tls.conf) ;;
    *) return 1 ;;
  esac
  [ -L "$1" ] || [ ! -e "$1" ] || grep -q '^# Written by docker-tls' -- "$1"
}
true >"$T/kept.part" || fail "$(df -Pk "$STATE" | tail -n 1)"
while IFS=$TAB read -r index kind mode owner source path <&3; do
  line=
  case $kind in
    file | link | absent)
      if [ -e "$path.docker-tls-tmp" ]; then rm -f -- "$path.docker-tls-tmp" 2>"$ERR" || fail "$(words)"; fi
      if [ -d "$path" ] && [ ! -L "$path" ]; then fail "$path cannot be replaced: it is a directory"; fi
      if [ -L "$path" ] || [ -e "$path" ]; then
        # A hard link costs no copy and loses nothing. Later changes replace the path by rename.
        ln -fPT -- "$path" "$path.docker-tls-old" 2>/dev/null || keep_copy "$path" 2>"$ERR" || fail "$path cannot be replaced: $(words)"
        if [ -L "$path" ]; then was='link'; else was='file'; fi
        line="$index$TAB$was$TAB-$TAB-$TAB$path"
      else
        line="$index${TAB}absent$TAB-$TAB-$TAB$path"
      fi
      ;;
    blob) continue ;;
    *)
      was=$("state_$kind" "$path" 2>"$ERR")
      case $? in 0) ;; 1) continue ;; *) fail "$(words)" ;; esac
      line="$index$TAB$kind$TAB$was$TAB$path"
      ;;
  esac
  printf '%s\n' "$line" >>"$T/kept.part" 2>"$ERR" || fail "$(words)"
  # A temporarily changed file does not become managed. The first change that writes it permanently records its origin.
  [ "$source" != same ] || continue
  case $known in
    *"$NL$path$NL"*) ;;
    *)
      count=$((count + 1))
      own_origin
      if is_ours "$path"; then
        printf '%s\tabsent\t-\t-\t%s\n' "$count" "$path" >>"$T/origin/manifest" 2>"$ERR" || fail "$(words)"
      else
        snapshot_path "$T/origin" "$count" "$kind" "$path" 2>"$ERR" || fail "$(words)"
      fi
      ;;
  esac
done 3<"$T/manifest"
mv -- "$T/kept.part" "$T/kept" || fail "could not keep the originals"
set --
while IFS=$TAB read -r index kind mode owner source path <&3; do
  case $kind in file | link | absent) set -- "$@" "$path".docker-tls-[no]* ;; esac
done 3<"$T/manifest"
note_forms "$@" >"$T/forms" 2>"$ERR" || fail "$(words)"
# Sync everything that the rollback needs before anything changes.
set -- "$T/kept" "$T/created" "$T/forms"
while IFS=$TAB read -r index kind mode owner source path <&3; do
  if [ -f "$path.docker-tls-new" ] && [ ! -L "$path.docker-tls-new" ]; then set -- "$@" "$path.docker-tls-new"; fi
  if [ "$kind" = blob ]; then set -- "$@" "$path"; fi
done 3<"$T/manifest"
if [ -d "$T/origin" ]; then set -- "$@" "$T"/origin/* "$T/origin"; fi
sync "$@" "$T" 2>/dev/null
set --
