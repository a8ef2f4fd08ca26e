/** Misconfigured hosts beside clean twins: shell that makes each of them, on a lab host whose /etc, /usr, /root and /home are overlays. */

/** Functions of the cases. */
export const PRELUDE = `set_sshd() { printf '%s\\n' "$@" >/etc/ssh/sshd_config.d/00-case.conf; }
sudoers() { printf '%s\\n' "$1" >/etc/sudoers.d/case; chmod 0440 /etc/sudoers.d/case; }
json() { printf '%s\\n' "$1" >/etc/docker/daemon.json; chmod 0644 /etc/docker/daemon.json; }
number=0
sys() { number=$((number + 1)); printf '%s\\n' "$2" >"/run/ov/$number"; mount --bind "/run/ov/$number" "/proc/sys/$1"; }
net() { for key in /proc/sys/net/ipv4/conf/*/"$1" /proc/sys/net/ipv6/conf/*/"$1"; do [ ! -e "$key" ] || sys "\${key#/proc/sys/}" "$2"; done; }
quiet() { net accept_redirects 0; net accept_source_route 0; net send_redirects 0; net log_martians 1; net rp_filter 1; net secure_redirects 0; }
login() { mkdir -p "$1/.docker"; printf '{"auths": {"x": {"auth": "YTpi"}}}' >"$1/.docker/config.json"; }
certs() { mkdir -p /etc/docker/certs.d/r:5000; : >/etc/docker/certs.d/r:5000/ca.crt; chmod 0444 /etc/docker/certs.d/r:5000/ca.crt; }
dropin() { mkdir -p /etc/systemd/system/docker.service.d; printf '[Service]\\n' >/etc/systemd/system/docker.service.d/x.conf; systemctl daemon-reload 2>/dev/null; }
unit=/usr/lib/systemd/system
`;

/** Check, misconfiguration, clean twin. */
export const HOSTS: readonly (readonly [string, string, string])[] = [
  // sshd
  ['ssh.1', 'set_sshd "LogLevel QUIET"', 'set_sshd "LogLevel VERBOSE"'],
  ['ssh.2', 'set_sshd "PermitRootLogin yes"', 'set_sshd "PermitRootLogin no"'],
  [
    'ssh.2',
    'set_sshd "PermitRootLogin no" "Match Address 10.0.0.0/8" "PermitRootLogin yes"',
    'set_sshd "PermitRootLogin no"',
  ],
  ['ssh.3', 'set_sshd "MaxAuthTries 12"', 'set_sshd "MaxAuthTries 4"'],
  ['ssh.4', 'set_sshd "MaxSessions 50"', 'set_sshd "MaxSessions 10"'],
  ['ssh.5', 'set_sshd "PubkeyAuthentication no"', 'set_sshd "PubkeyAuthentication yes"'],
  [
    'ssh.6',
    'set_sshd "PasswordAuthentication yes"',
    'set_sshd "PasswordAuthentication no" "KbdInteractiveAuthentication no"',
  ],
  [
    'ssh.6',
    'set_sshd "PasswordAuthentication no" "KbdInteractiveAuthentication yes" "UsePAM yes"',
    'set_sshd "PasswordAuthentication no" "KbdInteractiveAuthentication no"',
  ],
  [
    'ssh.6',
    'set_sshd "PasswordAuthentication no" "KbdInteractiveAuthentication no" "Match User pat" "PasswordAuthentication yes"',
    'set_sshd "PasswordAuthentication no" "KbdInteractiveAuthentication no" "Match User pat" "MaxSessions 2"',
  ],
  ['ssh.7', 'set_sshd "PermitEmptyPasswords yes" "PasswordAuthentication yes"', 'set_sshd "PermitEmptyPasswords no"'],
  ['ssh.8', 'set_sshd "Nonsense yes"', 'set_sshd "# Nonsense yes"'],
  ['ssh.9', 'set_sshd "X11Forwarding yes"', 'set_sshd "X11Forwarding no"'],
  [
    'ssh.10',
    'set_sshd "ClientAliveInterval 0"',
    'set_sshd "ClientAliveInterval 300" "ClientAliveCountMax 2" "TCPKeepAlive no" "LoginGraceTime 60"',
  ],
  [
    'ssh.11',
    'set_sshd "AllowTcpForwarding yes"',
    'set_sshd "AllowTcpForwarding no" "AllowAgentForwarding no" "X11Forwarding no"',
  ],
  ['ssh.12', 'set_sshd "MaxSessions 10"', 'set_sshd "MaxSessions 2"'],
  ['ssh.14', 'set_sshd "Ciphers +3des-cbc"', 'set_sshd "Ciphers aes256-gcm@openssh.com"'],
  ['ssh.14', 'set_sshd "MACs +hmac-md5"', 'set_sshd "MACs hmac-sha2-256-etm@openssh.com"'],
  ['ssh.14', 'set_sshd "KexAlgorithms +diffie-hellman-group14-sha1"', 'set_sshd "KexAlgorithms curve25519-sha256"'],
  ['ssh.15', 'set_sshd "HostbasedAuthentication yes"', 'set_sshd "HostbasedAuthentication no"'],
  ['ssh.15', 'set_sshd "IgnoreRhosts no"', 'set_sshd "IgnoreRhosts yes"'],
  ['ssh.16', 'set_sshd "PermitUserEnvironment yes"', 'set_sshd "PermitUserEnvironment no"'],
  ['ssh.17', 'set_sshd "PermitTunnel yes"', 'set_sshd "PermitTunnel no"'],
  ['ssh.18', 'set_sshd "GatewayPorts yes"', 'set_sshd "GatewayPorts no"'],
  [
    'ssh.18',
    'mkdir /etc/ssh/more; echo "GatewayPorts clientspecified" >/etc/ssh/more/x; set_sshd "Include more/*"',
    'mkdir /etc/ssh/more; echo "GatewayPorts no" >/etc/ssh/more/x; set_sshd "Include more/*"',
  ],
  // accounts
  ['1.1.2', 'gpasswd --add pat docker', 'gpasswd --add pat users'],
  ['1.1.2', 'usermod --gid docker pat', 'usermod --gid users pat'],
  ['host.12', 'echo "toor:x:0:0::/root:/bin/sh" >>/etc/passwd', 'echo "toor:x:1999:0::/srv:/bin/sh" >>/etc/passwd'],
  ['host.13', 'sudoers "pat ALL=(ALL) NOPASSWD: /usr/bin/docker"', 'sudoers "pat ALL=(ALL) NOPASSWD: /usr/bin/ls"'],
  ['host.13', 'sudoers "%users ALL=(root) NOPASSWD: ALL"; gpasswd --add pat users', 'sudoers "%users ALL=(root) ALL"'],
  [
    'host.13',
    'mkdir /etc/more; echo "pat ALL=(ALL) NOPASSWD: ALL" >/etc/more/x; sudoers "@includedir /etc/more"',
    'mkdir /etc/more; echo "pat ALL=(ALL) NOPASSWD: ALL" >/etc/more/x.bak; sudoers "@includedir /etc/more"',
  ],
  [
    'host.13',
    'echo "Defaults !authenticate" >/etc/one; sudoers "#include ../one"; echo "pat ALL=(ALL) ALL" >>/etc/sudoers',
    'echo "Defaults authenticate" >/etc/one; sudoers "#include ../one"; echo "pat ALL=(ALL) ALL" >>/etc/sudoers',
  ],
  ['host.14', 'passwd --delete root', 'passwd --lock root'],
  [
    'host.15',
    'chmod 0755 /home/pat; login /home/pat; chmod 0644 /home/pat/.docker/config.json',
    'chmod 0755 /home/pat; login /home/pat; chmod 0600 /home/pat/.docker/config.json; chown -R pat /home/pat/.docker',
  ],
  [
    'host.15',
    'chmod 0755 /root; login /root; chmod 0644 /root/.docker/config.json',
    'chmod 0700 /root; login /root; chmod 0644 /root/.docker/config.json',
  ],
  // files
  ['3.1', 'chown pat $unit/docker.service', 'chown root:root $unit/docker.service'],
  ['3.2', 'chmod 0666 $unit/docker.service', 'chmod 0600 $unit/docker.service'],
  ['3.3', 'chgrp pat $unit/docker.socket', 'chown root:root $unit/docker.socket'],
  ['3.4', 'chmod 0664 $unit/docker.socket', 'chmod 0644 $unit/docker.socket'],
  ['3.5', 'chown pat /etc/docker', 'chown root /etc/docker'],
  ['3.6', 'chmod 0777 /etc/docker', 'chmod 0700 /etc/docker'],
  ['3.7', 'certs; chown pat /etc/docker/certs.d/r:5000/ca.crt', 'certs'],
  ['3.8', 'certs; chmod 0644 /etc/docker/certs.d/r:5000/ca.crt', 'certs'],
  ['3.17', 'json "{}"; chown pat /etc/docker/daemon.json', 'json "{}"'],
  ['3.18', 'json "{}"; chmod 0666 /etc/docker/daemon.json', 'json "{}"; chmod 0600 /etc/docker/daemon.json'],
  ['3.19', 'chown pat /etc/default/docker', 'chown root /etc/default/docker'],
  ['3.20', 'chmod 0662 /etc/default/docker', 'chmod 0640 /etc/default/docker'],
  [
    '3.21',
    'mkdir -p /etc/sysconfig; : >/etc/sysconfig/docker; chmod 0666 /etc/sysconfig/docker',
    'mkdir -p /etc/sysconfig; : >/etc/sysconfig/docker; chmod 0644 /etc/sysconfig/docker',
  ],
  [
    '3.22',
    'mkdir -p /etc/sysconfig; : >/etc/sysconfig/docker; chown pat /etc/sysconfig/docker',
    'mkdir -p /etc/sysconfig; : >/etc/sysconfig/docker',
  ],
  ['file.5', 'chown pat /usr/bin/runc /usr/sbin/runc 2>/dev/null; :', 'chown root /usr/sbin/runc'],
  ['file.6', 'chmod 0777 /usr/bin/containerd', 'chmod 0755 /usr/bin/containerd'],
  [
    'file.6',
    'chmod 0775 /usr/bin/containerd-shim-runc-v2; chgrp pat /usr/bin/containerd-shim-runc-v2',
    'chmod 0700 /usr/bin/containerd-shim-runc-v2',
  ],
  [
    'file.7',
    'mkdir -p /etc/containerd; : >/etc/containerd/config.toml; chown pat /etc/containerd/config.toml',
    'mkdir -p /etc/containerd; : >/etc/containerd/config.toml',
  ],
  [
    'file.8',
    'mkdir -p /etc/containerd; : >/etc/containerd/config.toml; chmod 0666 /etc/containerd/config.toml',
    'mkdir -p /etc/containerd; : >/etc/containerd/config.toml; chmod 0644 /etc/containerd/config.toml',
  ],
  // daemon.json
  ['config.1', 'json "{ icc: false }"', 'json "{ \\"icc\\": true }"'],
  ['config.2', 'json "{ \\"hosts\\": [\\"unix:///x\\"] }"', 'json "{ \\"labels\\": [\\"a=b\\"] }"'],
  [
    'config.4',
    'json "{ \\"log-driver\\": \\"json-file\\" }"',
    'json "{ \\"log-driver\\": \\"json-file\\", \\"log-opts\\": { \\"max-size\\": \\"10m\\", \\"max-file\\": \\"3\\" } }"',
  ],
  ['config.7', 'json "{ \\"allow-direct-routing\\": true }"', 'json "{ \\"allow-direct-routing\\": false }"'],
  [
    'config.8',
    'json "{ \\"metrics-addr\\": \\"0.0.0.0:9323\\" }"',
    'json "{ \\"metrics-addr\\": \\"127.0.0.1:9323\\" }"',
  ],
  [
    'config.11',
    'json "{ \\"default-cgroupns-mode\\": \\"host\\" }"',
    'json "{ \\"default-cgroupns-mode\\": \\"private\\" }"',
  ],
  // kernel and logins
  ['host.1', 'quiet; sys net/ipv4/conf/eth0/accept_redirects 1 || net accept_redirects 1', 'quiet'],
  ['host.1', 'quiet; net accept_source_route 1', 'quiet'],
  [
    'host.8',
    ': >/etc/issue.net; set_sshd "Banner none"',
    'echo "Authorized users only. Use of this system is monitored and recorded." >/etc/issue.net; set_sshd "Banner /etc/issue.net"',
  ],
  ['host.10', ': >/etc/profile.d/t.sh', 'echo "readonly TMOUT=900; export TMOUT" >/etc/profile.d/t.sh'],
];
