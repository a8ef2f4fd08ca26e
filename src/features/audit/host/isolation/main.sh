# Isolation, tried from inside: containers of our own try to reach what they should not. Prints `NAME STATE TEXT` for each attempt, and
# `all unknown TEXT` if none could be made. Everything that is made has a label, and is removed before the answer is printed, by a second
# process if this one is killed, and otherwise by the next run. Each container and listener also ends by itself.
# Needs functions: image_archive
# Needs variables: PORTS SOCKET
# Needs programs: cat docker mktemp perl rm sleep tail timeout tr uname

probe_docker() { timeout 60 docker --config "$work/config" -H "unix://$SOCKET" "$@"; }

probe_ids() { # LABEL
  probe_docker ps -aq --filter "label=$1"
  probe_docker network ls -q --filter "label=$1"
  probe_docker image ls -q --filter "label=$1"
}

# Removes what has the label: forget_probes LABEL. A container that ends at this moment is tried again.
# shellcheck disable=SC2086 # ids
forget_probes() {
  for _ in 1 2 3 4 5; do
    ids=$(probe_docker ps -aq --filter "label=$1")
    [ -z "$ids" ] || probe_docker rm -f -v $ids
    ids=$(probe_docker network ls -q --filter "label=$1")
    [ -z "$ids" ] || probe_docker network rm $ids
    ids=$(probe_docker image ls -q --filter "label=$1")
    [ -z "$ids" ] || probe_docker image rm -f $ids
    [ -n "$(probe_ids "$1")" ] || return 0
    sleep 1
  done >/dev/null 2>&1
}

end_probes() {
  # shellcheck disable=SC2086 # ids
  kill $watcher $listeners
  forget_probes "$mark"
  rm -rf -- "$work"
}

# The last error in one line: unknown NAME.
unknown() { printf '%s unknown %s\n' "$1" "$(tail -n 3 "$work/error" | tr '\n' ' ')"; }

run_probe() { probe_docker run --rm --label "$mark" --log-driver none --read-only --pids-limit 32 "$@" 2>"$work/error"; }

# A container that answers, in a network. Sets `address` and `gateway`.
start_listener() {
  address=- gateway=-
  id=$(run_probe -d --network "$1" "$image" /perl /probes listen 0.0.0.0 4242) || return 1
  # shellcheck disable=SC2046 # two words
  set -- $(probe_docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}' "$id")
  address=${1:--} gateway=${2:--}
}

# A listener on the host itself. Sets `port`.
listen_here() {
  rm -f -- "$work/port"
  perl "$work/image/probes" listen "$1" 0 >"$work/port" 2>/dev/null </dev/null &
  listeners="$listeners $!" port=-
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -s "$work/port" ] && read -r port <"$work/port" && return 0
    sleep 0.1
  done
  port=-
}

try_from_inside() {
  image_archive >"$work/image.tar" 2>"$work/error" || return 1
  image=$(probe_docker import --change "LABEL $mark" "$work/image.tar" 2>"$work/error") || return 1
  start_listener bridge || unknown neighbour
  neighbour=$address bridge=$gateway own=bridge
  # Without the default bridge there is no network to try.
  [ "$neighbour" != - ] || own=none
  address=-
  network=$(probe_docker network create --label "$mark" "docker-tls-probe-${mark#*=}" 2>"$work/error") &&
    start_listener "$network" || unknown network
  other=$address
  listen_here 127.0.0.1
  loopback=$port
  listen_here "$bridge"
  # shellcheck disable=SC2086 # numbers
  run_probe --network "$own" "$image" /perl /probes try "$(uname -m)" "$bridge" "$neighbour" "$other" "$loopback" "$port" $PORTS || unknown all
  run_probe --network none --user 65534:65534 "$image" /perl /probes gain || unknown privileges
}

isolation_probes() {
  unset DOCKER_HOST DOCKER_CONTEXT DOCKER_CONTENT_TRUST DOCKER_TLS_VERIFY DOCKER_DEFAULT_PLATFORM
  label=docker-tls.probe listeners=''
  work=$(mktemp -d) || return 1
  mark=$label=${work##*.}
  # A lost connection must not leave anything behind.
  trap '' HUP PIPE
  trap 'exit 1' INT TERM
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
  if ! running=$(probe_docker ps -q --filter "label=$label" 2>>"$work/error"); then
    unknown all
  elif [ -n "$running" ]; then
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
