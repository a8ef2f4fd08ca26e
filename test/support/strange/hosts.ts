/** Unusual hosts: firewalls, logins, missing programs, mounts, names, and odd installations of Docker. */

import { execStart, put, RESTART, type StrangeCase, without } from './case.ts';

const TABLE = (hook: string, rules: string, policy = 'drop'): string =>
  `nft -f - <<'END'\ntable inet site {\n chain ${hook} {\n type filter hook ${hook} priority filter; policy ${policy};\n ${rules}\n }\n}\nEND`;
const NO_TABLE = 'nft delete table inet site';
const FLUSH = 'iptables -P INPUT ACCEPT; iptables -F INPUT; iptables -F OUTPUT';
const SSH =
  'iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables -A INPUT -p tcp --dport 22 -j ACCEPT';

export const FIREWALLS: readonly StrangeCase[] = [
  // <!-- firewall -->
  {
    name: 'iptables: drops by default',
    make: `${SSH}; iptables -P INPUT DROP`,
    end: FLUSH,
    code: 'E_FIREWALL',
    short: true,
  },
  { name: 'iptables: rejects the rest', make: `${SSH}; iptables -A INPUT -j REJECT`, end: FLUSH, code: 'E_FIREWALL' },
  {
    name: 'iptables: no answers get out',
    make: 'iptables -A OUTPUT -p tcp --sport 2376 -j DROP',
    end: FLUSH,
    code: 'E_FIREWALL',
  },
  // <!-- /firewall -->
  {
    name: 'iptables: the port for other sources only',
    make: `${SSH}; iptables -A INPUT -s 192.0.2.0/24 -p tcp --dport 2376 -j ACCEPT; iptables -P INPUT DROP`,
    end: FLUSH,
    code: 'E_PORT_FILTERED',
  },
  // <!-- firewall -->
  {
    name: 'iptables: rejects our source',
    make: 'iptables -A INPUT -s 10.213.0.0/16 -p tcp --dport 2376 -j REJECT',
    end: FLUSH,
    code: 'E_VERIFY',
    says: /iptables rejects or drops a connection in on port 2376 by some of its rules/,
    remark:
      'from outside a rejecting rule looks like a port that nothing listens on: the plan warns, and verification finds it',
  },
  {
    name: 'iptables: drops other sources',
    make: 'iptables -A INPUT -s 192.0.2.0/24 -p tcp --dport 2376 -j DROP',
    end: FLUSH,
    says: /by some of its rules/,
    remark: 'a warning',
  },
  {
    name: 'iptables: a limit of connections',
    make: 'iptables -A INPUT -p tcp --dport 2376 -m connlimit --connlimit-above 50 -j REJECT',
    end: FLUSH,
    says: /by some of its rules/,
    remark: 'a warning',
  },
  // <!-- /firewall -->
  {
    name: 'iptables: drops before every chain that is read (raw)',
    make: 'iptables -t raw -A PREROUTING -p tcp --dport 2376 -j DROP',
    end: 'iptables -t raw -F',
    code: 'E_PORT_FILTERED',
  },
  // <!-- firewall -->
  {
    name: 'nftables: drops by default',
    make: TABLE('input', 'iif lo accept\n ct state established,related accept\n tcp dport 22 accept'),
    end: NO_TABLE,
    code: 'E_PORT_FILTERED',
    says: /nft insert rule inet site input tcp dport 2376 accept/,
  },
  // <!-- /firewall -->
  {
    name: 'nftables: drops what goes out',
    make: TABLE('output', 'oif lo accept\n tcp sport 22 accept'),
    end: NO_TABLE,
    code: 'E_PORT_FILTERED',
  },
  {
    name: 'nftables: drops by default, and lets the port in',
    make: TABLE(
      'input',
      'iif lo accept\n ct state established,related accept\n tcp dport { 22, 2376 } accept\n icmpv6 type { nd-neighbor-solicit } accept',
    ),
    end: NO_TABLE,
    short: true,
  },
  // <!-- firewall -->
  {
    name: 'ufw is on, without the port',
    make: `${put('/etc/ufw/ufw.conf', 'ENABLED=yes')}${put('/etc/default/ufw', 'DEFAULT_INPUT_POLICY="DROP"')}${put('/etc/ufw/user.rules', '### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in')}`,
    end: 'rm -rf /etc/ufw',
    code: 'E_FIREWALL',
    says: /ufw allow 2376\/tcp/,
  },
  // <!-- /firewall -->
  { name: 'ufw is installed and off', make: put('/etc/ufw/ufw.conf', 'ENABLED=no'), end: 'rm -rf /etc/ufw' },
  // <!-- firewall -->
  {
    name: 'firewalld runs, without the port',
    make: `${put('/usr/bin/firewall-cmd', '#!/bin/sh\ncase $1 in --get-default-zone) echo public ;; --list-all-zones) printf "public\\n  ports: 22/tcp\\n" ;; esac')}chmod 755 /usr/bin/firewall-cmd; systemd-run -q --unit=firewalld sleep 1d`,
    end: 'rm /usr/bin/firewall-cmd; systemctl stop firewalld',
    says: /firewalld names port 2376 nowhere/,
    remark: 'a warning: a rich rule or a service may let it in',
  },
  // <!-- /firewall -->
  {
    name: 'another program listens on the port',
    make: 'systemd-run -q --unit=squatter python3 -m http.server 2376; sleep 1',
    end: 'systemctl stop squatter',
    code: 'E_PORT_TAKEN',
  },
  {
    name: 'another socket unit holds the port',
    make: `${put('/etc/systemd/system/site.socket', '[Socket]\nListenStream=2376\nAccept=yes')}${put('/etc/systemd/system/site@.service', '[Service]\nExecStart=/bin/true')}systemctl daemon-reload; systemctl start site.socket`,
    end: 'systemctl stop site.socket',
    code: 'E_PORT_TAKEN',
  },
  {
    name: 'the port is taken for UDP',
    make: 'systemd-run -q --unit=squatter python3 -c "import socket,time; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind((\'\',2376)); time.sleep(9999)"; sleep 0.5',
    end: 'systemctl stop squatter',
  },
];

const rc = (line: string): Pick<StrangeCase, 'make' | 'end'> => ({
  make: `cp -a /root/.bashrc /root/bashrc.away; sed -i '1i ${line}' /root/.bashrc`,
  end: 'mv /root/bashrc.away /root/.bashrc',
});
const sshd = (line: string): string =>
  `${put('/etc/ssh/sshd_config.d/00-site.conf', line)}systemctl reload ssh; sleep 0.5`;
const RELOAD_SSHD = 'rm -f /etc/ssh/sshd_config.d/00-site.conf; systemctl reload ssh; sleep 0.5';
const sudoers = (line: string): string => `${put('/etc/sudoers.d/site', line)}chmod 440 /etc/sudoers.d/site`;

export const LOGINS: readonly StrangeCase[] = [
  { name: 'a login shell fish that greets', make: ':', user: 'fishy' },
  { name: 'a bash that prints escape codes on both streams', make: ':', user: 'noisy', short: true },
  { name: 'sudo that wants a password', make: ':', user: 'pat', code: 'E_SUDO_PASSWORD' },
  {
    name: 'sudo that the account may not use',
    make: sudoers('ops ALL=(ALL) !ALL'),
    user: 'ops',
    code: 'E_SUDO_PASSWORD',
  },
  {
    name: 'sudo for some commands only',
    make: "sed -i 's/^ops .*/ops ALL=(ALL) NOPASSWD: \\/usr\\/bin\\/docker/' /etc/sudoers.d/lab",
    user: 'ops',
    code: 'E_SUDO_PASSWORD',
  },
  { name: 'sudo with requiretty and use_pty', make: sudoers('Defaults use_pty\nDefaults !requiretty'), user: 'ops' },
  {
    name: 'sudo with requiretty',
    make: sudoers('Defaults requiretty'),
    user: 'ops',
    code: 'E_SUDO_REFUSED',
    remark: 'the login has no terminal',
  },
  {
    name: 'sudo with a secure_path of its own and log_output',
    make: sudoers('Defaults secure_path=/nowhere\nDefaults log_output'),
    end: 'rm -rf /var/log/sudo-io',
    user: 'ops',
  },
  {
    name: 'sudo that acts as another account (runas_default)',
    make: sudoers('Defaults runas_default=nobody'),
    user: 'ops',
  },
  {
    name: 'no sudo',
    ...without('/usr/bin/sudo'),
    user: 'ops',
    code: 'E_SUDO_MISSING',
    says: /as root: apt-get install -y --reinstall sudo/,
    short: true,
  },
  {
    name: 'root on the host itself (`setup local`)',
    make: ':',
    end: 'rm -rf /root/.docker /opt/docker-tls',
    local: true,
    short: true,
  },
  {
    name: 'an ssh config with a ProxyCommand',
    make: ':',
    config: "ProxyCommand bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3'",
    short: true,
  },
  {
    name: 'an ssh config with ControlMaster and ControlPath',
    make: ':',
    config: 'ControlMaster auto\nControlPath /tmp/docker-tls-strange-%C',
  },
  { name: 'a ~/.bashrc that reads standard input', ...rc('read line'), code: 'E_SSH_NO_SHELL' },
  { name: 'a ~/.bashrc that ends the shell', ...rc('exit 0'), code: 'E_SSH_NO_SHELL' },
  { name: 'a ~/.bashrc that execs another program', ...rc('exec cat'), code: 'E_SSH_NO_SHELL' },
  { name: 'a ~/.bashrc that takes three seconds', ...rc('sleep 3') },
  { name: 'a ~/.bashrc that sets options (set -euf, umask 0)', ...rc('set -uf; umask 0; shopt -s extglob failglob') },
  { name: 'a ~/.bashrc with an empty PATH', ...rc('export PATH=') },
  {
    name: 'a ~/.bashrc with functions and aliases of our tools',
    ...rc('head() { echo x; }; export -f head; alias cat=false; cd() { false; }; export -f cd'),
  },
  { name: 'a ~/.bashrc with TMOUT=1', ...rc('export TMOUT=1') },
  { name: 'the login shell dash', make: 'usermod -s /bin/dash root', end: 'usermod -s /bin/bash root' },
  {
    name: 'the login shell busybox sh',
    make: `${put('/bin/bbsh', '#!/bin/busybox sh\nexec /bin/busybox sh "$@"')}chmod 755 /bin/bbsh; usermod -s /bin/bbsh root`,
    end: 'usermod -s /bin/bash root; rm -f /bin/bbsh',
  },
  {
    name: 'a restricted login shell (rbash)',
    make: 'ln -sf bash /bin/rbash; usermod -s /bin/rbash root',
    end: 'usermod -s /bin/bash root',
    code: 'E_SSH_NO_SHELL',
  },
  {
    name: 'the login shell /usr/sbin/nologin',
    make: 'usermod -s /usr/sbin/nologin root',
    end: 'usermod -s /bin/bash root',
    code: 'E_SSH_NO_SHELL',
  },
  {
    name: 'the login shell /bin/false',
    make: 'usermod -s /bin/false root',
    end: 'usermod -s /bin/bash root',
    code: 'E_SSH_NO_SHELL',
  },
  {
    name: 'a login shell that does not exist',
    make: "sed -i 's#^root:\\(.*\\):/bin/bash#root:\\1:/no/such#' /etc/passwd",
    end: "sed -i 's#:/no/such#:/bin/bash#' /etc/passwd",
    code: 'E_SSH_AUTH',
  },
  { name: 'sshd: a forced command', make: sshd('ForceCommand /usr/bin/id'), end: RELOAD_SSHD, code: 'E_SSH_NO_SHELL' },
  { name: 'sshd: PermitRootLogin no', make: sshd('PermitRootLogin no'), end: RELOAD_SSHD, code: 'E_SSH_AUTH' },
  {
    name: 'sshd: PermitRootLogin forced-commands-only',
    make: sshd('PermitRootLogin forced-commands-only'),
    end: RELOAD_SSHD,
    code: 'E_SSH_LOST',
  },
  {
    name: 'sshd: a banner of 60 kB',
    code: 'E_SSH_REFUSED',
    says: /--transport openssh/,
    on20: 'works',
    on28: 'works',
    remark: 'works with the sshd of Debian 12 and with OpenSSH 10.6',
    make: `head -c 45000 /dev/urandom | base64 >/etc/site-banner; ${sshd('Banner /etc/site-banner')}`,
    end: `rm -f /etc/site-banner; ${RELOAD_SSHD}`,
  },
  {
    name: 'sshd: MaxSessions 1, no TTY, no forwarding',
    make: sshd('MaxSessions 1\nPermitTTY no\nAllowTcpForwarding no'),
    end: RELOAD_SSHD,
  },
  { name: 'sshd: MaxSessions 0', make: sshd('MaxSessions 0'), end: RELOAD_SSHD, code: 'E_SSH_NO_SHELL' },
  {
    name: 'sshd: SetEnv and a strange PATH',
    make: sshd('SetEnv PATH=/nowhere IFS=/ LC_ALL=tr_TR.UTF-8'),
    end: RELOAD_SSHD,
  },
  {
    name: '/run/nologin (a host that goes down)',
    make: 'echo "going down" >/run/nologin',
    end: 'rm /run/nologin',
    user: 'ops',
    code: 'E_SSH_AUTH',
  },
];

const gone = (path: string, code?: StrangeCase['code'], more: Partial<StrangeCase> = {}): StrangeCase => ({
  name: path.slice(path.lastIndexOf('/') + 1),
  ...without(path),
  ...(code ? { code } : {}),
  ...more,
});

export const PROGRAMS: readonly StrangeCase[] = [
  gone('/usr/bin/flock', 'E_HOST_PROGRAM', { says: /apt-get install -y --reinstall util-linux/ }),
  gone('/usr/bin/od', 'E_HOST_PROGRAM', { says: /--reinstall coreutils/ }),
  gone('/usr/bin/cmp', 'E_HOST_PROGRAM', { says: /--reinstall diffutils/ }),
  gone('/usr/bin/systemd-run', 'E_HOST_PROGRAM', { says: /--reinstall systemd/, short: true }),
  gone('/usr/bin/find', 'E_HOST_PROGRAM'),
  gone('/usr/bin/stat', 'E_HOST_PROGRAM'),
  gone('/usr/bin/sha256sum', 'E_HOST_PROGRAM'),
  gone('/usr/bin/timeout', 'E_HOST_PROGRAM'),
  gone('/usr/bin/systemctl', 'E_HOST_PROGRAM'),
  gone('/usr/bin/id', 'E_HOST_PROGRAM'),
  gone('/usr/bin/dd', 'E_HOST_PROGRAM'),
  gone('/usr/bin/head'),
  gone('/usr/sbin/iptables', 'E_UNIT_NEEDS'),
  gone('/usr/sbin/runc', 'E_UNIT_NEEDS'),
  gone('/usr/sbin/dockerd', 'E_NO_DOCKER'),
  gone('/usr/sbin/docker-proxy', 'E_UNIT_NEEDS', {
    make: 'p=$(command -v docker-proxy || ls /usr/libexec/docker/docker-proxy /usr/lib/docker/docker-proxy 2>/dev/null | head -n 1); echo "$p" >/run/proxy-path; mv "$p" "$p.away"',
    end: 'p=$(cat /run/proxy-path); mv "$p.away" "$p"',
    on20: 'works',
    remark: 'Docker 20.10 works without it',
  }),
  gone('/usr/bin/docker'),
  gone('/usr/bin/ss'),
  gone('/usr/bin/ip'),
  gone('/usr/bin/logger'),
  gone('/usr/bin/journalctl'),
  gone('/usr/bin/sync', 'E_HOST_PROGRAM'),
  gone('/usr/bin/hostname'),
  gone('/usr/bin/getent'),
  gone('/usr/bin/kill'),
  gone('/usr/bin/mount'),
  {
    name: 'curl, perl and python3 (nothing to ask the daemon with)',
    make: 'for p in curl perl python3; do mv /usr/bin/$p /usr/bin/$p.away; done',
    end: 'for p in curl perl python3; do mv /usr/bin/$p.away /usr/bin/$p; done',
  },
  // <!-- host-csr -->
  {
    name: 'openssl, where the host makes its key',
    ...without('/usr/bin/openssl'),
    setup: ['--keys', 'host'],
    code: 'E_HOST_KEY',
    feature: 'host-csr',
  },
  // <!-- /host-csr -->
];

export const MOUNTS: readonly StrangeCase[] = [
  {
    name: '/etc is mounted read-only',
    make: 'mount --bind /etc /etc && mount -o remount,ro,bind /etc',
    end: 'umount -l /etc',
    code: 'E_READ_ONLY',
  },
  {
    name: '/etc/docker is mounted read-only',
    make: 'mkdir -p /etc/docker; mount --bind /etc/docker /etc/docker && mount -o remount,ro,bind /etc/docker',
    end: 'umount -l /etc/docker',
    code: 'E_READ_ONLY',
    short: true,
  },
  {
    name: '/usr is mounted read-only, as on CoreOS and Flatcar',
    make: 'mount --bind /usr /usr && mount -o remount,ro,bind /usr',
    end: 'umount -l /usr',
    short: true,
  },
  {
    name: '/var/lib is mounted read-only',
    make: 'mkdir -p /srv/vl; mount --bind /var/lib /var/lib && mount -o remount,ro,bind /var/lib',
    end: 'umount -l /var/lib',
    code: 'E_READ_ONLY',
  },
  { name: '/run is mounted noexec', make: 'mount -o remount,noexec /run', end: 'mount -o remount,exec /run' },
  {
    name: '/tmp is mounted noexec, and full',
    make: 'mount -o remount,noexec,size=64k /tmp; head -c 100000 /dev/zero >/tmp/fill; true',
    end: 'rm /tmp/fill; mount -o remount,exec,size=512M /tmp',
  },
  {
    name: '/var/lib/docker-tls is a full file system',
    make: 'mkdir -p /var/lib/docker-tls; mount -t tmpfs -o size=64k none /var/lib/docker-tls',
    end: 'umount /var/lib/docker-tls; rmdir /var/lib/docker-tls',
    code: 'E_DISK_FULL',
  },
  {
    name: '/etc/docker is a file system of its own',
    make: 'mkdir -p /etc/docker; mount -t tmpfs -o size=8M,mode=755 none /etc/docker',
    end: 'umount -l /etc/docker',
  },
  {
    name: '/etc/docker is a link',
    make: `mkdir -p /srv/docker-etc; rm -rf /etc/docker; ln -s /srv/docker-etc /etc/docker; ${RESTART}`,
    end: 'rm -rf /etc/docker /srv/docker-etc',
  },
  { name: '/etc/docker is not there', make: 'rm -rf /etc/docker' },
  { name: '/etc/docker is writable by every local user', make: 'mkdir -p /etc/docker; chmod 1777 /etc/docker' },
  {
    name: '/etc/docker belongs to another account',
    make: 'mkdir -p /etc/docker; chown daemon:daemon /etc/docker; chmod 700 /etc/docker',
  },
  {
    name: '/etc/docker/tls has files of another program',
    make: 'mkdir -p /etc/docker/tls; echo mine >/etc/docker/tls/mine; chmod 755 /etc/docker/tls',
  },
  { name: '/etc/docker/tls is a file', make: 'mkdir -p /etc/docker; echo x >/etc/docker/tls', code: 'E_APPLY' },
  {
    name: '/etc/systemd/system/docker.service.d is immutable',
    make: 'mkdir -p /etc/systemd/system/docker.service.d; chattr +i /etc/systemd/system/docker.service.d',
    end: 'chattr -i /etc/systemd/system/docker.service.d',
    code: 'E_APPLY',
  },
  {
    name: '/etc/docker is immutable',
    make: 'mkdir -p /etc/docker; chattr +i /etc/docker',
    end: 'chattr -i /etc/docker',
    code: 'E_APPLY',
  },
  {
    name: '/var/lib/docker-tls is a file',
    make: 'echo x >/var/lib/docker-tls',
    end: 'rm -f /var/lib/docker-tls',
    code: 'E_APPLY',
  },
  {
    name: 'little room on /run',
    make: 'mount -o remount,size=10M /run',
    end: 'mount -o remount,size=256M /run',
    code: 'E_DISK_FULL',
    on28: 'works',
    remark: 'systemd before 262 reads no unit files with less than 16 MiB there',
  },
];

/** Stand-ins: restorecon requires its paths to exist. */
const SELINUX = `printf '#!/bin/sh\\nexit 0\\n' >/usr/bin/selinuxenabled; printf '#!/bin/sh\\nshift; for path; do [ -e "$path" ] || [ -L "$path" ] || exit 1; done; echo "$@" >>/run/restored\\n' >/usr/bin/restorecon; chmod 755 /usr/bin/selinuxenabled /usr/bin/restorecon`;

export const NAMES: readonly StrangeCase[] = [
  { name: 'a hostname with capitals', make: 'hostname Build-HOST.Example', end: 'hostname strange' },
  { name: 'a hostname of 64 characters', make: `hostname ${'a'.repeat(60)}.lab`, end: 'hostname strange' },
  { name: 'the hostname localhost', make: 'hostname localhost', end: 'hostname strange' },
  {
    name: '/etc/hosts without its own name, and a name server that is silent',
    make: "printf '127.0.0.1 localhost\\n' >/etc/hosts; printf 'nameserver 192.0.2.1\\n' >/etc/resolv.conf",
    end: "printf '# none\\n' >/etc/resolv.conf",
  },
  {
    name: '/etc/resolv.conf leads nowhere',
    make: 'rm -f /etc/resolv.conf; ln -s ../run/NetworkManager/resolv.conf /etc/resolv.conf',
    end: "rm -f /etc/resolv.conf; printf '# none\\n' >/etc/resolv.conf",
  },
  {
    name: 'no /etc/os-release',
    make: 'rm /etc/os-release',
  },
  {
    name: 'escape codes in /etc/os-release',
    make: 'rm -f /etc/os-release; printf \'ID=x\\nPRETTY_NAME="\\033]0;x\\007\\033[31mRed"\\n\' >/etc/os-release',
  },
  {
    name: 'a Turkish locale for systemd and in /etc/environment',
    make: "printf 'LC_ALL=tr_TR.UTF-8\\nLANG=tr_TR.UTF-8\\n' | tee /etc/environment /etc/locale.conf >/dev/null; systemctl set-environment LC_ALL=tr_TR.UTF-8",
    end: 'systemctl unset-environment LC_ALL',
  },
  {
    name: 'another time zone',
    make: 'ln -sf /usr/share/zoneinfo/Asia/Kathmandu /etc/localtime; systemctl set-environment TZ=Asia/Kathmandu',
    end: 'systemctl unset-environment TZ',
  },
  {
    name: 'limits: 64 open files, 5 MB a file, 200 processes',
    make: put('/etc/security/limits.d/site.conf', 'root hard nofile 64\nroot hard fsize 5000\nroot hard nproc 200'),
  },
  {
    name: 'limits: no file may grow (fsize 0)',
    make: put('/etc/security/limits.d/site.conf', 'root hard fsize 0'),
    code: 'E_APPLY',
  },
  {
    name: 'SELinux is on (stand-ins for selinuxenabled and restorecon)',
    make: SELINUX,
    end: 'rm /usr/bin/selinuxenabled /usr/bin/restorecon; grep -q /etc/docker/tls/1/server-key.pem /run/restored && rm /run/restored',
  },
  { name: 'no /etc/machine-id', make: 'rm -f /etc/machine-id' },
  {
    name: 'no accounts but root in /etc/passwd, and no group docker',
    make: "sed -i '/^docker:/d' /etc/group /etc/gshadow",
  },
];

export const DOCKERS: readonly StrangeCase[] = [
  {
    name: 'dockerd at another path',
    make: `mkdir -p /opt/docker/bin && cp /usr/sbin/dockerd /opt/docker/bin/dockerd && ${execStart('/opt/docker/bin/dockerd -H fd://')}`,
    end: 'rm -rf /opt/docker',
  },
  {
    name: 'dockerd is a script that starts the real one',
    make: `mv /usr/sbin/dockerd /usr/sbin/dockerd.real; printf '#!/bin/sh\\nexec /usr/sbin/dockerd.real "$@"\\n' >/usr/sbin/dockerd; chmod 755 /usr/sbin/dockerd; ${RESTART}`,
    end: 'mv /usr/sbin/dockerd.real /usr/sbin/dockerd',
  },
  {
    name: 'Docker from snap alone',
    make: `mv /usr/sbin/dockerd /usr/sbin/dockerd.away; mv /usr/lib/systemd/system/docker.service /root/; ${put('/etc/systemd/system/snap.docker.dockerd.service', '[Service]\nExecStart=/bin/sleep 1d')}systemctl daemon-reload`,
    end: 'mv /usr/sbin/dockerd.away /usr/sbin/dockerd; mv /root/docker.service /usr/lib/systemd/system/; systemctl daemon-reload',
    code: 'E_DOCKER_SNAP',
  },
  {
    name: 'Synology DSM (/etc/synoinfo.conf)',
    make: 'touch /etc/synoinfo.conf',
    end: 'rm /etc/synoinfo.conf',
    code: 'E_VENDOR_SYSTEM',
  },
  {
    name: 'Docker from snap beside a package',
    make: `${put('/etc/systemd/system/snap.docker.dockerd.service', '[Service]\nExecStart=/bin/sleep 1d')}systemctl daemon-reload`,
  },
  {
    name: 'a rootless Docker of a user beside it',
    make: 'mkdir -p /home/ops/.config/systemd/user; touch /home/ops/.config/systemd/user/docker.service; chown -R ops: /home/ops/.config',
    end: 'rm -rf /home/ops/.config',
    says: /ops runs a rootless Docker/,
    remark: 'named, and left alone',
  },
  {
    name: '`docker` is podman-docker',
    make: `mv /usr/bin/docker /usr/bin/docker.away; printf '#!/bin/sh\\necho "Emulate Docker CLI using podman" >&2\\nexit 125\\n' >/usr/bin/docker; chmod 755 /usr/bin/docker`,
    end: 'mv /usr/bin/docker.away /usr/bin/docker',
  },
  {
    name: 'the file of docker.sock is gone',
    make: 'rm /run/docker.sock',
    end: 'systemctl stop docker.service; systemctl restart docker.socket',
    code: 'E_DOCKER_SILENT',
  },
  {
    name: '/var/run is a directory of its own',
    make: 'rm /var/run && mkdir /var/run && ln -s /run/docker.sock /var/run/docker.sock',
    end: 'rm -rf /var/run; ln -s /run /var/run',
  },
  {
    name: 'swarm mode',
    make: 'docker swarm init --advertise-addr 127.0.0.1 >/dev/null',
    end: 'docker swarm leave --force',
    code: 'E_SWARM',
  },
  {
    name: 'the daemon hangs (SIGSTOP)',
    make: 'kill -STOP $(pidof dockerd)',
    end: 'kill -CONT $(pidof dockerd)',
    code: 'E_DOCKER_SILENT',
  },
  {
    name: 'a lock that a run left behind',
    make: 'printf "who=ops\\nsince=%s\\nexpires=%s\\n" "$(date +%s)" "$(($(date +%s) + 300))" >/run/docker-tls.lock',
    end: 'rm -f /run/docker-tls.lock',
    code: 'E_HOST_LOCKED',
  },
  {
    name: 'a lock that is a directory',
    make: 'mkdir /run/docker-tls.lock',
    end: 'rmdir /run/docker-tls.lock',
    code: 'E_APPLY',
  },
];
