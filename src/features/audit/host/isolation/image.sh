# Image of the isolation probes: this host's perl and cat with their libraries, and the probes. Nothing is fetched.
# Needs functions: write_probes
# Needs variables: run work
# Needs programs: chmod cp grep id ldd mkdir readlink tar

# Copies a program, and the libraries that its loader names: copy_program PROGRAM PLACE.
copy_program() {
  for file in $(ldd "$1" | grep -o '/[^ ]*'); do
    [ -e "$work/image$file" ] && continue
    mkdir -p -- "$work/image${file%/*}" && cp -L -- "$file" "$work/image$file" || return 1
  done
  mkdir -p -- "$work/image${2%/*}" && cp -L -- "$1" "$work/image$2"
}

# Prints the image's archive. A user of a container reads `secret` only if the set-user-ID bit of /set/cat takes effect.
image_archive() {
  umask 022
  copy_program "$(readlink -f -- "$(command -v perl)")" /perl &&
    copy_program "$(readlink -f -- "$(command -v cat)")" /set/cat &&
    write_probes >"$work/image/probes" || return 1
  printf '%s\n' "$run" >"$work/image/set/secret"
  chmod 0400 "$work/image/set/secret"
  chmod 4755 "$work/image/set/cat"
  # A user's files are root's in the image. busybox has no such option, and no rootless daemon.
  owner=''
  [ "$(id -u)" = 0 ] || owner='--owner=0 --group=0'
  # shellcheck disable=SC2086 # options
  tar -C "$work/image" $owner -cf - .
}
