# Unit files of docker.service that systemd has not read. Put in before facts.sh and apply.sh.

# Those other than our drop-in, one per line: systemd would read them at the next change, and nobody has looked at what they say.
# unread_units FRAGMENT KNOWN (drop-ins, one per line)
unread_units() {
  for path in /etc/systemd/system/docker.service /etc/systemd/system/docker.service.d/*.conf /run/systemd/system/docker.service.d/*.conf \
    /usr/local/lib/systemd/system/docker.service.d/*.conf /usr/lib/systemd/system/docker.service.d/*.conf; do
    # An empty one, or a link to /dev/null, masks others of its name.
    [ -s "$path" ] || continue
    case $NL$2$NL in *"$NL$path$NL"*) continue ;; esac
    case $path in
      */zz-docker-tls.conf | */~*zz-docker-tls.conf) continue ;;
      *.service) [ "$(readlink -f -- "$path")" != "$(readlink -f -- "$1")" ] || continue ;;
      /etc/*) ;;
      # Where /lib is /usr/lib systemd may know it by the other name; one of its name in /etc counts before it, an empty one as well.
      *)
        case $2$NL in *"/${path##*/}$NL"*) continue ;; esac
        [ ! -e "/etc/systemd/system/docker.service.d/${path##*/}" ] || continue
        ;;
    esac
    printf '%s\n' "$path"
  done
}
