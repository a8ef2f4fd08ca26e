# Facts about Podman, which runs containers without a daemon, and about our service of its API.
# Needs functions: file find_systemd say tell_units
# Needs variables: UNITS nonce
# Needs programs: podman sed systemctl timeout tr

find_podman() {
  find_systemd && is_podman || return 1
  SERVICE=docker-tls-podman.service TLS_SOCKET=docker-tls-podman.socket LOCAL_SOCKET=podman.socket
  teller=tell_podman asker=podman_facts
}

# Does Podman serve the API? The unit of docker-tls shows it; otherwise the absence of Docker does.
is_podman() {
  [ ! -e /etc/systemd/system/docker-tls-podman.service ] || return 0
  # Docker from snap counts as Docker, and is refused as such.
  for path in /etc/systemd/system/snap.docker*.service; do [ ! -e "$path" ] || return 1; done
  [ ! -e /etc/systemd/system/docker-tls.socket ] && command -v podman >/dev/null && ! command -v dockerd >/dev/null &&
    [ "$(systemctl show -p LoadState docker.service 2>/dev/null)" = LoadState=not-found ]
}

# The service of docker-tls is absent before the first change.
tell_podman() {
  tell_units
  file "$UNITS/$SERVICE"
  file "$UNITS/multi-user.target.wants/$SERVICE"
}

# Podman's answers in the shape of dockerd's. Skipped until Podman has run since boot: it would create its directories, and no container
# runs. Podman waits for containers that another command has locked, so it gets dockerd's time limit. Names contain letters, digits and
# `_.-`.
podman_facts() {
  say dockerd "$(command -v podman)"
  say dockerd-version "$(podman --version 2>/dev/null)"
  say api-socket ''
  running=
  if [ -e /run/libpod/alive ]; then
    running=$(timeout 15 podman ps --no-trunc --format '{"Id":"{{.ID}}","Names":["{{.Names}}"]}' 2>/dev/null) || return 0
  fi
  printf '[%s]\n--%s api 200 /containers/json\n' "$(printf '%s' "$running" | tr '\n' ',' | sed 's/,$//')" "$nonce"
}
