# The service of docker-tls that accepts clients in front of the daemon: its credentials, and its lists of clients.
# Needs functions: end
# Needs variables: LISTENER LISTENER_FILES
# Needs programs: cut getent head id

# Sets the TLS files to those of the service: the daemon behind it has none.
listener_facts() {
  [ -n "$LISTENER" ] || return 0
  units=/etc/systemd/system tls=/etc/docker/tls
  if [ "$(id -u)" != 0 ]; then
    home=$(getent passwd "$(id -u)" | cut -d : -f 6)
    units=$home/.config/systemd/user tls=$home/.config/docker/tls
  fi
  [ -f "$units/$LISTENER" ] || return 0
  tls_ca=$tls/current/ca.pem tls_cert=$tls/current/server-cert.pem tls_key=$tls/current/server-key.pem
  for name in $LISTENER_FILES; do
    [ -f "$tls/$name" ] || continue
    head -c 1048576 "$tls/$name"
    end "listener-file $name"
  done
}
