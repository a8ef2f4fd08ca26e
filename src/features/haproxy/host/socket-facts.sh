# Facts about sockets for programs on the host.
# Needs functions: end say
# Needs variables: RUN UNITS
# Needs programs: ls systemctl

# Sockets for programs on the host: those that are set up, and units and files in the way of one.
facts_listener() {
  names=
  for path in "$UNITS/docker-tls-role@"?*.socket "$UNITS/sockets.target.wants/docker-tls-role@"?*.socket \
    "$RUN"/systemd/*/docker-tls-role@?*.socket "$RUN/docker-tls/"?*.sock; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    name=${path##*/}
    name=${name#docker-tls-role@}
    name=${name%.sock*}
    case "$name: $names" in *[!a-z0-9-]*:* | *" $name "*) ;; *) names="$names$name " ;; esac
  done
  [ -n "$names" ] || return 0
  set --
  for name in $names; do set -- "$@" "docker-tls-role@$name.socket"; done
  say program-sockets "$(systemctl show "$@" -p Id -p LoadState -p ActiveState -p UnitFileState 2>/dev/null)"
  for name in $names; do
    path=$RUN/docker-tls/$name.sock
    if [ -L "$RUN/docker-tls" ]; then
      echo "$name linked"
    elif [ -S "$path" ] && [ ! -L "$path" ]; then
      echo "$name socket"
    elif [ -d "$path" ] && [ -n "$(ls -A -- "$path")" ]; then
      echo "$name directory"
    fi
  done
  end program-paths
}
