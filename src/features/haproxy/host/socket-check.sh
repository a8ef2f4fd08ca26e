# Requests to the sockets for containers, for a verification. Changes nothing.
# Needs functions: api end
# Needs variables: SOCKETS nonce
# Needs programs: id

printf 'docker-tls-listener 1 %s\n' "$nonce"
run=/run
[ "$(id -u)" = 0 ] || run=/run/user/$(id -u)
# SOCKETS: a socket in each line, and a path that its role must not get; empty: it may get all.
while read -r name outside; do
  # Through a link, another user's socket would answer.
  [ -L "$run/docker-tls" ] || [ -L "$run/docker-tls/$name.sock" ] || api "$run/docker-tls/$name.sock" "$nonce" /_ping $outside
  end "$name"
done <<LINES
$SOCKETS
LINES
end 'done'
