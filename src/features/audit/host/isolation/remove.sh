# What the isolation probes made, and its removal.
# Needs variables: SOCKET name work
# Needs programs: docker sed sleep timeout

probe_docker() { timeout 60 docker --config "$work/config" -H "unix://$SOCKET" "$@"; }

# Lists what is ours: a label alone can be in images and containers of others, as in those built from our image.
our_containers() { probe_docker ps -a --filter "label=$1" --format '{{.Image}} {{.Names}} {{.ID}}' | sed -n "s/^$name:[^ ]* $name-[^ ]* //p"; }
our_networks() { probe_docker network ls --filter "label=$1" --format '{{.Name}} {{.ID}}' | sed -n "s/^$name-[^ ]* //p"; }
our_images() { probe_docker image ls --filter "label=$1" --format '{{.Repository}}:{{.Tag}}' | sed -n "/^$name:/p"; }

# Removes what is ours: forget_probes LABEL. A container that ends at this moment is tried again.
# shellcheck disable=SC2086 # ids
forget_probes() {
  for _ in 1 2 3 4 5; do
    ids=$(our_containers "$1")
    [ -z "$ids" ] || probe_docker rm -f -v $ids
    ids=$(our_networks "$1")
    [ -z "$ids" ] || probe_docker network rm $ids
    ids=$(our_images "$1")
    [ -z "$ids" ] || probe_docker image rm -f $ids
    [ -n "$(our_containers "$1" && our_networks "$1" && our_images "$1")" ] || return 0
    sleep 1
  done >/dev/null 2>&1
}
