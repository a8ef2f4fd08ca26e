# Isolation, tried from inside: containers of our own try to reach what they should not. Prints `NAME STATE TEXT` for each attempt, and
# `all unknown TEXT` if none could be made; a name may be on several lines (src/features/audit/domain/isolation.ts). Everything that is made
# has a label and our name, and is removed before the answer is printed, by a second process if this one is killed, and otherwise by the
# next run. Each container and listener also ends by itself.
# Needs functions: find_ways forget_probes image_archive probe_docker
# Needs variables: PORTS SOCKET back door doors
# Needs programs: cat flock mktemp perl rm sleep tail tr uname

end_probes() {
  # shellcheck disable=SC2086 # ids
  kill $watcher $listeners
  forget_probes "$mark"
  rm -rf -- "$work"
}

# The last error in one line, for each attempt: unknown NAME….
unknown() {
  for attempt in "$@"; do printf '%s unknown %s\n' "$attempt" "$(tail -n 3 "$work/error" | tr '\n' ' ')"; done
}

run_probe() { # ROLE OPTION…
  role=$1
  shift
  probe_docker run --rm --name "$name-$run-$role" --label "$mark" --log-driver none --read-only --pids-limit 32 "$@" 2>"$work/error"
}

# A container that answers, in a network. Sets `id`, `address` and `gateway`.
start_listener() { # ROLE NETWORK
  id=- address=- gateway=-
  id=$(run_probe "$1" -d --network "$2" "$image" /perl /probes listen "$run" 0.0.0.0 4242) || return 1
  # shellcheck disable=SC2046 # two words
  set -- $(probe_docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}' "$id")
  address=${1:--} gateway=${2:--}
  [ "$address" != - ] || ! echo 'the container has no address' >"$work/error"
}

# A listener on the host itself. Sets `port`.
listen_here() {
  rm -f -- "$work/port"
  perl "$work/image/probes" listen "$run" "$1" 0 >"$work/port" 2>/dev/null </dev/null &
  listeners="$listeners $!" port=-
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -s "$work/port" ] && read -r port <"$work/port" && return 0
    sleep 0.1
  done
  port=-
}

# Without an answer of its listener an attempt says nothing: ask NAME COMMAND….
ask() {
  attempt=$1
  shift
  for _ in 1 2 3 4 5; do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.2
  done
  echo 'the listener that it should not reach did not answer, neither others nor us' >"$work/error"
  unknown "$attempt"
}

# Containers are asked from inside themselves, past any firewall.
ask_listeners() {
  ask neighbour probe_docker exec "$near" /perl /probes ask "$run" 127.0.0.1 4242
  ask network probe_docker exec "$far" /perl /probes ask "$run" 127.0.0.1 4242
  ask loopback perl "$work/image/probes" ask "$run" 127.0.0.1 "$loopback"
  ask bridge perl "$work/image/probes" ask "$run" "$door" "$port"
}

try_from_inside() {
  image_archive >"$work/image.tar" 2>"$work/error" || return 1
  image=$name:$run
  probe_docker import --change "LABEL $mark" "$work/image.tar" "$image" >/dev/null 2>"$work/error" || return 1
  options=$(probe_docker info -f '{{.SecurityOptions}}' 2>"$work/error") || return 1
  # Without the default bridge there is no network to try.
  own=bridge
  start_listener near bridge || {
    own=none
    unknown neighbour network loopback bridge api metadata
  }
  near=$id neighbour=$address bridge=$gateway id=- address=-
  network=$(probe_docker network create --label "$mark" "$name-$run" 2>"$work/error") && start_listener far "$network" || unknown network
  far=$id other=$address
  find_ways "$bridge" "$options"
  listen_here 127.0.0.1
  loopback=$port
  listen_here "$door"
  ask_listeners
  # shellcheck disable=SC2086 # numbers
  run_probe try --network "$own" "$image" /perl /probes try "$run" "$(uname -m)" "$door" "$neighbour" "$other" "$loopback" "$port" "$back" "$doors" $PORTS ||
    unknown all
  run_probe gain --network none --user 65534:65534 "$image" /perl /probes gain "$run" || unknown privileges
  # A listener may have ended meanwhile.
  ask_listeners
}

isolation_probes() {
  unset DOCKER_HOST DOCKER_CONTEXT DOCKER_CONTENT_TRUST DOCKER_TLS_VERIFY DOCKER_DEFAULT_PLATFORM
  name=docker-tls-probe label=docker-tls.probe listeners=''
  work=$(mktemp -d) || return 1
  run=${work##*.}
  mark=$label=$run
  # A lost connection must not leave anything behind.
  trap '' HUP PIPE
  trap 'exit 1' INT TERM
  # The lock is held until the last process of this run has ended.
  [ -r "${SOCKET%/*}/" ] && exec 8<"${SOCKET%/*}/" && flock -n 8
  locked=$?
  (
    seconds=0
    while [ "$seconds" -lt 180 ] && kill -0 "$$"; do
      sleep 1
      seconds=$((seconds + 1))
    done
    forget_probes "$mark"
    rm -rf -- "$work"
  ) >/dev/null 2>&1 </dev/null &
  watcher=$!
  trap 'end_probes >/dev/null 2>&1' EXIT
  command -v docker >/dev/null || echo 'there is no docker command on the host' >"$work/error"
  if ! probe_docker ps -q >/dev/null 2>>"$work/error"; then
    unknown all
  elif [ "$locked" != 0 ]; then
    echo 'another audit is trying it at this moment' >"$work/error"
    unknown all
  else
    forget_probes "$label"
    try_from_inside >"$work/answers" || unknown all >>"$work/answers"
    answers=$(cat "$work/answers")
    end_probes >/dev/null 2>&1
    trap - EXIT
    printf '%s\nend\n' "$answers"
  fi
}
isolation_probes </dev/null
