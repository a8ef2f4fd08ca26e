# HAProxy, its service and the daemon's socket, for a plan and for a diagnosis. Changes nothing.
# Needs functions: say
# Needs variables: SERVICE SOCKET WHOSE nonce
# Needs programs: cat getent grep haproxy head id ls stat systemctl

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
enforcing=$(cat /sys/fs/selinux/enforce 2>/dev/null)
say enforcing "$enforcing"
if [ "$enforcing" = 1 ]; then
  # HAProxy compiles its patterns into memory that it then runs.
  say execmem "$(cat /sys/fs/selinux/booleans/allow_execmem 2>/dev/null)"
  say compiles "$(haproxy -vv 2>/dev/null | grep -oE '[+]PCRE2?_JIT')"
  say allowed "$(ls -d /var/lib/selinux/*/active/modules/*/docker-tls-haproxy 2>/dev/null)"
fi
# Labels in SELinux.
say program-label "$(stat -L -c %C -- "${program:-/usr/sbin/haproxy}" 2>/dev/null)"
say socket-label "$(stat -L -c %C -- "$SOCKET" 2>/dev/null)"
say apparmor "$(grep -E '^[^ ]*haproxy[^ ]* \(enforce\)$' /sys/kernel/security/apparmor/profiles 2>/dev/null | head -n 1)"
