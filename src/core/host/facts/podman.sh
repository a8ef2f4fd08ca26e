# What Podman answers, by its own command: it has containers without any daemon.
# Needs functions: say
# Needs variables: nonce
# Needs programs: podman sed timeout tr

# In the shape of dockerd's answers. Nothing is asked before Podman itself has run since the boot: it would make its directories, and no
# container runs. It waits for containers that another command holds; it gets as long as a dockerd. Names are letters, digits and `_.-`.
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
