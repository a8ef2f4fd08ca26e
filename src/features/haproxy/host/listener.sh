# HAProxy, its service and the daemon's socket, for a plan and for a diagnosis. Changes nothing.
# Needs functions: say
# Needs variables: SERVICE SOCKET WHOSE nonce
# Needs programs: cat getent grep haproxy head id stat systemctl

printf 'docker-tls-listener 1 %s\n' "$nonce"
program=$(command -v haproxy)
say program "$program"
say version "$(haproxy -v 2>/dev/null | head -n 1)"
say account "$(getent passwd haproxy)"
say socket "$(stat -L -c '%a %u %g %G' -- "$SOCKET" 2>/dev/null)"
if [ -n "$WHOSE" ]; then
  XDG_RUNTIME_DIR=/run/user/$(id -u)
  export XDG_RUNTIME_DIR
fi
say service "$(systemctl $WHOSE show "$SERVICE" -p LoadState -p ActiveState -p UnitFileState -p Result 2>/dev/null)"
say enforcing "$(cat /sys/fs/selinux/enforce 2>/dev/null)"
# Labels in SELinux.
say program-label "$(stat -L -c %C -- "${program:-/usr/sbin/haproxy}" 2>/dev/null)"
say socket-label "$(stat -L -c %C -- "$SOCKET" 2>/dev/null)"
say apparmor "$(grep -E '^[^ ]*haproxy[^ ]* \(enforce\)$' /sys/kernel/security/apparmor/profiles 2>/dev/null | head -n 1)"
