# Facts about the daemon: its answers, and the programs that it needs to start.
# Needs functions: api end say
# Needs variables: DAEMON_JSON NL began finder nonce own_search pid socket
# Needs programs: cat date find grep head tr

# Programs that dockerd looks for at start, with their paths: in its own PATH, or in its directory (moby: lookupBinPath).
program_facts() {
  search=$NL$(tr '\0' '\n' 2>/dev/null <"/proc/${pid:-0}/environ")$NL
  case $search in *"${NL}PATH="*) search=${search#*"${NL}PATH="} && search=${search%%"$NL"*} ;; *) search= ;; esac
  search=${search:-${own_search:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}}
  search=$search:/usr/local/libexec/docker:/usr/libexec/docker:/usr/local/lib/docker:/usr/lib/docker
  set -f
  IFS=:
  for name in iptables nft runc buildkit-runc docker-proxy; do
    for directory in $search; do
      case $directory in /*) ;; *) continue ;; esac
      if [ -f "$directory/$name" ] && [ -x "$directory/$name" ]; then
        printf '%s\n' "$directory/$name"
        break
      fi
    done
  done
  unset IFS
  set +f
  end programs
}

# Sets `data` to the daemon's data-root, which may be configured, or a subdirectory for userns-remap. Iterates over words: in dash and
# bash, cutting a long text with `#` scans it from the start each time.
find_data() {
  data=/var/lib/docker before=
  set -f
  IFS='"'
  for word in ${answers%%"/info$NL"*}; do
    case $before$word in
      DockerRootDir:/*)
        case $word in *\\*) ;; *) data=$word ;; esac
        break
        ;;
      DockerRootDir:) before=DockerRootDir: ;;
      *)
        before=
        case $word in DockerRootDir) before=$word ;; esac
        ;;
    esac
  done
  unset IFS
  set +f
}

# API answers of the daemon; slow, so they come while the rest is gathered. Skipped for a stopped daemon, because a request would start it.
daemon_facts() {
  { [ -z "$socket" ] || api "$socket" "$nonce" /info /containers/json; } | answered_facts
}

find_program() { dockerd=$(command -v dockerd); }

answered_facts() {
  "$finder"
  say dockerd "$dockerd"
  # Skipped if a package has replaced the program since.
  # shellcheck disable=SC3013 # dash, bash and busybox have -ef
  if [ -n "$dockerd" ] && [ "/proc/${pid:-0}/exe" -ef "$dockerd" ]; then say runs "$dockerd"; fi
  say api-socket "$socket"
  # If daemon.json was edited after the start: has the daemon reloaded it? busybox's find cannot tell.
  since=
  if [ -n "$began" ] && [ -n "$socket" ]; then since=$(find -L "$DAEMON_JSON" -maxdepth 0 -newermt "$began 1 second" -printf '%T@' 2>/dev/null); fi
  answers=$(cat)
  printf '%s\n' "$answers"
  case $since:$answers in :*) ;; *" api 200 "*) api "$socket" "$nonce" "/events?since=$since&until=$(date +%s.%N)&filters=%7B%22event%22%3A%7B%22reload%22%3Atrue%7D%7D" ;; esac
  case $answers in *" api 200 "*"/info$NL"*) ;; *) [ -z "$dockerd" ] || say dockerd-version "$("$dockerd" --version 2>/dev/null)" ;; esac
  find_data
  set -- "$data"/containers/*/hostconfig.json
  [ ! -e "$1" ] || grep -Ho '"RestartPolicy":{"Name":"[a-z-]*"' "$@" 2>/dev/null | head -n 2000
  end restart-policies
}
