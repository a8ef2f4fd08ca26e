# Unit files of the daemon that systemd has not read.
# Needs variables: NL RUN SERVICE UNITS
# Needs programs: grep readlink

# Sets `unit_path` to the search path of the systemd that has UNITS: the host's, or a user's.
set_unit_path() {
  case $UNITS in
    /etc/systemd/system) unit_path="$UNITS /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system" ;;
    *)
      unit_path="$UNITS /etc/systemd/user $RUN/systemd/user /run/systemd/user ${UNITS%/.config/systemd/user}/.local/share/systemd/user"
      unit_path="$unit_path /usr/local/share/systemd/user /usr/share/systemd/user /usr/local/lib/systemd/user /usr/lib/systemd/user"
      ;;
  esac
}

# Sets `unread` to unread unit files except our drop-in, one per line: systemd would read them at the next change, and no plan has checked
# their content. unread_units FRAGMENT KNOWN (drop-ins, one per line)
unread_units() {
  unread=
  # A unit that does not exist yet has no files that systemd read.
  [ -n "$1" ] || return 0
  path=$UNITS/$SERVICE
  if [ -s "$path" ] && [ "$(readlink -f -- "$path")" != "$(readlink -f -- "$1")" ]; then unread=$path$NL; fi
  set_unit_path
  for directory in $unit_path; do
    [ -d "$directory/$SERVICE.d" ] || continue
    real=
    for path in "$directory/$SERVICE.d"/*.conf; do
      name=${path##*/}
      # An empty file, or a link to /dev/null, masks other files of its name.
      [ -s "$path" ] || continue
      case $name in *zz-docker-tls.conf)
        line=
        read -r line <"$path"
        case $line in '# Written by docker-tls.'*) continue ;; esac
        if grep -q '^# Written by docker-tls\.' "$path"; then continue; fi
        ;;
      esac
      case $NL$2$NL in *"$NL$path$NL"*) continue ;; esac
      # systemd resolves a directory that is a link.
      real=${real:-$(cd -P "$directory/$SERVICE.d" && pwd -P)}
      case $NL$2$NL in *"$NL$real/$name$NL"*) continue ;; esac
      # A file of the same name in /etc takes precedence, and systemd may print /usr/lib as /lib.
      if [ "$directory" != "$UNITS" ]; then
        case $2$NL in *"/$name$NL"*) continue ;; esac
        [ ! -e "$UNITS/$SERVICE.d/$name" ] || continue
      fi
      unread=$unread$path$NL
    done
  done
}
