# The daemon: what it answers, and the programs that it needs to start.
# Needs functions: api end find_own_program podman_facts say
# Needs variables: host_kind nonce own_search pid socket
# Needs programs: cat grep head sed tr

# Programs that dockerd looks for when it starts, with where it finds them: in its own PATH, or beside it (moby: lookupBinPath).
program_facts() {
  search=$(cat "/proc/${pid:-0}/environ" 2>/dev/null | tr '\0' '\n' | sed -n 's/^PATH=//p')
  search=${search:-${own_search:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}}
  for name in iptables nft runc buildkit-runc docker-proxy; do
    where=$(PATH=$search:/usr/local/libexec/docker:/usr/libexec/docker:/usr/local/lib/docker:/usr/lib/docker command -v "$name")
    case $where in /*) printf '%s\n' "$where" ;; esac
  done
  end programs
}

# What the daemon is asked over its socket: it takes a while to answer. One that is not running would be started by the question.
daemon_facts() {
  if [ "$host_kind" = podman ]; then
    podman_facts
    return
  fi
  dockerd=$(command -v dockerd)
  [ "$host_kind" != rootless ] || find_own_program
  say dockerd "$dockerd"
  say api-socket "$socket"
  answers=
  [ -z "$socket" ] || answers=$(api "$socket" "$nonce" /version /info /containers/json)
  printf '%s\n' "$answers"
  case $answers in *" api 200 "*) ;; *) [ -z "$dockerd" ] || say dockerd-version "$("$dockerd" --version 2>/dev/null)" ;; esac
  # Another data-root, or a directory of its own for userns-remap.
  data=$(printf '%s\n' "$answers" | sed -n 's/^.*"DockerRootDir":"\(\/[^"\\]*\)".*$/\1/p' | head -n 1)
  grep -Ho '"RestartPolicy":{"Name":"[a-z-]*"' "${data:-/var/lib/docker}"/containers/*/hostconfig.json 2>/dev/null | head -n 2000
  end restart-policies
}
