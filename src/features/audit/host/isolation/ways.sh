# Addresses by which a container might reach the host.
# Needs functions: unknown
# Needs variables: SOCKET run work
# Needs programs: perl readlink

# Sets `door`, an address of the host for a service of ours; `back`, which may lead to the host's 127.0.0.1; and `doors`, all of them, for
# the API: find_ways GATEWAY OPTIONS. A rootless daemon has a network of its own, whose gateway passes connections on: slirp4netns and
# pasta answer for the host's 127.0.0.1 there, unless RootlessKit tells them not to.
find_ways() {
  door=$1 back=$1 doors=$1
  case $1/$2 in
    -/*) return ;;
    */*name=rootless*) ;;
    *) return ;;
  esac
  pid=''
  [ ! -r "${SOCKET%/*}/docker.pid" ] || read -r pid <"${SOCKET%/*}/docker.pid"
  case $pid in '' | *[!0-9]*) pid=none ;; esac
  theirs=$(readlink "/proc/$pid/ns/net")
  [ "$theirs" = "$(readlink /proc/self/ns/net)" ] && return
  ways=''
  [ -z "$theirs" ] || ways=$(perl "$work/image/probes" ways "$run" "$pid")
  # shellcheck disable=SC2086 # two words
  set -- "$1" $ways
  door=${3:--} back=${2:--} doors=$1,$back,$door
  [ "$door" = - ] || [ "$back" = - ] || return 0
  echo 'the network of the rootless daemon is not known' >"$work/error"
  unknown loopback bridge api
}
