# Facts about HAProxy and its service, without any change.
# Needs functions: end say
# Needs variables: SERVICE SOCKET WHOSE nonce
# Needs programs: cat getent haproxy head id stat systemctl

printf 'docker-tls-listener 1 %s\n' "$nonce"
say program "$(command -v haproxy)"
say version "$(haproxy -v 2>/dev/null | head -n 1)"
say enforcing "$(cat /sys/fs/selinux/enforce 2>/dev/null)"
say account "$(getent passwd haproxy)"
say socket "$(stat -L -c '%a %u %g %G' -- "$SOCKET" 2>/dev/null)"
if [ -n "$WHOSE" ]; then
  XDG_RUNTIME_DIR=/run/user/$(id -u)
  export XDG_RUNTIME_DIR
fi
say service "$(systemctl $WHOSE show "$SERVICE" -p LoadState -p ActiveState -p MainPID 2>/dev/null)"
end 'done'
