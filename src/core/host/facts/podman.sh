# Facts from the podman command: Podman runs containers without a daemon.
# Needs functions: say
# Needs variables: nonce
# Needs programs: podman sed timeout tr

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
