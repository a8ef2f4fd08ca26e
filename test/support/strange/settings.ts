/** Unusual settings: environment files, daemon.json, and their locations. */

import { execStart, json, put, RESTART, type StrangeCase, unit } from './case.ts';

const JSON_PATH = '/etc/docker/daemon.json';
const xattr = (name: string, value: string): string =>
  `python3 -c 'import os; os.setxattr("${JSON_PATH}", "${name}", bytes.fromhex("${value}"))'`;

/** docker-tls refuses settings that the daemon has not read yet, before it checks them. */
const ACCEPT = ['--allow-unread-settings'];

export const ENVIRONMENT: readonly StrangeCase[] = [
  {
    name: '`export DOCKER_OPTS=…` (systemd passes it over)',
    make: `printf 'DOCKER_OPTS="--label=a=b"\\nexport DOCKER_OPTS="--no-such"\\n' >/etc/default/docker; ${RESTART}`,
  },
  { name: 'no final newline', make: `printf 'DOCKER_OPTS=--debug' >/etc/default/docker; ${RESTART}` },
  {
    name: 'CRLF lines',
    make: `printf 'DOCKER_OPTS="--label=a=b"\\r\\nOTHER=x\\r\\n' >/etc/default/docker; ${RESTART}`,
  },
  {
    name: 'bytes that are not UTF-8',
    make: `printf '# caf\\351\\nDOCKER_OPTS="--label=a=b"\\n' >/etc/default/docker; ${RESTART}`,
  },
  {
    name: 'a value over two lines',
    make: `printf 'DOCKER_OPTS="--label=a=b \\\\\\n --label=c=d"\\n' >/etc/default/docker; ${RESTART}`,
  },
  {
    name: 'a TCP port without TLS in DOCKER_OPTS',
    make: `printf 'DOCKER_OPTS="-H tcp://127.0.0.1:2375"\\n' >/etc/default/docker; ${RESTART}`,
    remove: ['--allow-plain-tcp'],
    says: /2375 is closed/,
    remark: 'the flag is taken out of the file',
    short: true,
  },
  {
    name: 'a TCP port in a variable of the unit',
    make: unit('[Service]\nEnvironment="DOCKER_OPTS=-H tcp://127.0.0.1:2375"'),
    code: 'E_UNIT_VARIABLE',
  },
  {
    name: 'readable by root alone',
    make: `printf 'DOCKER_OPTS=--debug\\n' >/etc/default/docker; chmod 600 /etc/default/docker; ${RESTART}`,
  },
  {
    name: 'a link',
    make: `printf 'DOCKER_OPTS=--debug\\n' >/etc/site-docker; ln -sf /etc/site-docker /etc/default/docker; ${RESTART}`,
    end: 'rm -f /etc/site-docker',
  },
  { name: 'not there', make: `rm -f /etc/default/docker; ${RESTART}` },
  {
    name: '/etc/sysconfig/docker with OPTIONS, as on the Red Hat family',
    make: `${put('/etc/sysconfig/docker', 'OPTIONS="--label=a=b -H tcp://127.0.0.1:2375"')}${unit('[Service]\nEnvironmentFile=\nEnvironmentFile=-/etc/sysconfig/docker\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// $OPTIONS')}`,
    end: 'rm -rf /etc/sysconfig',
    remove: ['--allow-plain-tcp'],
    says: /2375 is closed/,
  },
  {
    name: 'a pattern (`EnvironmentFile=-/etc/docker.d/*.env`)',
    make: `${put('/etc/docker.d/a.env', 'A_OPTS=--debug')}${put('/etc/docker.d/b.env', 'B_OPTS=--label=a=b')}${unit('[Service]\nEnvironmentFile=-/etc/docker.d/*.env\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// $A_OPTS $B_OPTS')}`,
    end: 'rm -rf /etc/docker.d',
  },
];

export const DAEMON_JSON: readonly StrangeCase[] = [
  { name: 'an empty file', make: json(''), on20: 'left out', remark: 'Docker 20.10 does not start with it' },
  { name: '`null`', make: json('null') },
  { name: '`{}` on one line, and tabs', make: json('{\t"debug":true }') },
  { name: 'CRLF lines', make: `printf '{\\r\\n  "debug": true\\r\\n}\\r\\n' >${JSON_PATH}; ${RESTART}` },
  { name: 'a key twice', make: json('{ "debug": false, "debug": true }') },
  { name: 'a comment', make: put(JSON_PATH, '{ // mine\n}'), code: 'E_DAEMON_JSON' },
  {
    name: 'a trailing comma',
    make: put(JSON_PATH, '{\n  "debug": true,\n}'),
    code: 'E_DAEMON_JSON',
    says: /daemon\.json:3/,
    short: true,
  },
  { name: 'a list', make: put(JSON_PATH, '[]'), code: 'E_DAEMON_JSON' },
  {
    name: 'a byte order mark',
    make: `printf '\\357\\273\\277{}\\n' >${JSON_PATH}; ${RESTART}`,
    on20: 'left out',
    remark: 'Docker 20.10 does not start with it',
  },
  { name: 'UTF-16', make: `printf '\\377\\376{\\000}\\000' >${JSON_PATH}`, code: 'E_DAEMON_JSON' },
  {
    name: 'a key that dockerd does not know',
    make: put(JSON_PATH, '{ "no-such-key": 1 }'),
    code: 'E_DAEMON_CONFIG',
    setup: ACCEPT,
    remark: 'found by `dockerd --validate`',
  },
  { name: 'a value of the wrong type', make: put(JSON_PATH, '{ "debug": "yes" }'), code: 'E_DAEMON_CONFIG' },
  {
    name: 'a log driver that does not exist',
    make: put(JSON_PATH, '{ "log-driver": "no-such" }'),
    code: 'E_DAEMON_JSON',
  },
  {
    name: 'a setting there and as a flag',
    make: `${execStart('/usr/sbin/dockerd -H fd:// --debug')}; ${put(JSON_PATH, '{ "debug": true }')}`,
    code: 'E_CONFLICT',
  },
  { name: '`"live-restore": false`', make: json('{ "live-restore": false }') },
  { name: '`"live-restore": true`', make: json('{ "live-restore": true }') },
  { name: '`"iptables": false`', make: json('{ "iptables": false, "ip6tables": false }') },
  { name: '`"userland-proxy": false`', make: json('{ "userland-proxy": false }') },
  {
    name: 'another pid file, exec-root and log driver',
    make: json('{ "pidfile": "/run/other.pid", "exec-root": "/run/docker-exec", "log-driver": "none" }'),
  },
  {
    name: '`"hosts"` and no -H',
    make: `${execStart('/usr/sbin/dockerd')}; ${json('{ "hosts": ["unix:///var/run/docker.sock"] }')}`,
    says: /opens its port itself/,
  },
  {
    name: '`"hosts"` without a unix socket',
    make: `${execStart('/usr/sbin/dockerd')}; ${json('{ "hosts": ["tcp://127.0.0.1:2375"] }')}`,
    code: 'E_DOCKER_SILENT',
  },
  {
    name: '`"tls": true` without a CA file',
    make: `cd /root && openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=x -days 9 2>/dev/null; ${execStart('/usr/sbin/dockerd')}; ${json('{ "hosts": ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2377"], "tls": true, "tlscert": "/root/c.pem", "tlskey": "/root/k.pem" }')}`,
    end: 'rm -f /root/c.pem /root/k.pem',
    code: 'E_OTHER_CLIENTS',
  },
  {
    name: 'a link',
    make: `${put('/etc/site.json', '{ "debug": true }')}ln -s /etc/site.json ${JSON_PATH}; ${RESTART}`,
    end: 'rm -f /etc/site.json',
  },
  { name: 'a link that leads nowhere', make: `ln -s /no/such ${JSON_PATH}`, code: 'E_CONFIG_FILE' },
  { name: 'a directory', make: `mkdir -p ${JSON_PATH}`, code: 'E_CONFIG_FILE' },
  { name: 'a named pipe', make: `mkfifo ${JSON_PATH}`, code: 'E_CONFIG_FILE' },
  { name: 'a link to /dev/null', make: `ln -s /dev/null ${JSON_PATH}`, code: 'E_CONFIG_FILE' },
  {
    name: '2 MiB',
    make: `{ printf '{'; head -c 2097152 /dev/zero | tr '\\0' ' '; printf '}'; } >${JSON_PATH}`,
    code: 'E_CONFIG_FILE',
  },
  {
    name: 'a second name of another file',
    make: `${json('{ "debug": true }')}; ln ${JSON_PATH} /etc/second.json`,
    end: 'rm -f /etc/second.json',
  },
  {
    name: 'mode 0600 and another owner',
    make: `${json('{ "debug": true }')}; chmod 600 ${JSON_PATH}; chown daemon:daemon ${JSON_PATH}`,
  },
  {
    name: 'a mount of its own',
    make: `${json('{}')}; mount --bind ${JSON_PATH} ${JSON_PATH}`,
    end: `umount ${JSON_PATH}`,
    code: 'E_MOUNTED_FILE',
  },
  {
    name: 'immutable (`chattr +i`)',
    make: `${json('{ "debug": true }')}; chattr +i ${JSON_PATH}`,
    end: `chattr -i ${JSON_PATH}`,
    code: 'E_APPLY',
    says: /immutable/,
  },
  {
    name: 'append-only (`chattr +a`)',
    make: `${json('{ "debug": true }')}; chattr +a ${JSON_PATH}`,
    end: `chattr -a ${JSON_PATH}`,
    code: 'E_APPLY',
  },
  {
    name: 'an SELinux label',
    make: `${json('{ "debug": true }')}; ${xattr('security.selinux', '73797374656d5f753a6f626a6563745f723a636f6e7461696e65725f636f6e6669675f743a733000')}`,
  },
  {
    name: 'an access list (ACL)',
    make: `${json('{ "debug": true }')}; ${xattr('system.posix_acl_access', '0200000001000600ffffffff020004000100000004000400ffffffff10000600ffffffff20000400ffffffff')}`,
  },
  {
    name: 'bytes that are not UTF-8',
    make: `printf '{ "labels": ["a=caf\\351"] }\\n' >${JSON_PATH}`,
    code: 'E_DAEMON_JSON',
  },
  { name: 'a NUL byte', make: `printf '{}\\000\\n' >${JSON_PATH}`, code: 'E_DAEMON_JSON' },
  { name: 'two objects', make: put(JSON_PATH, '{ "debug": true }\n{}'), code: 'E_DAEMON_JSON' },
  {
    name: 'a key in capitals',
    make: put(JSON_PATH, '{ "Debug": true }'),
    code: 'E_DAEMON_CONFIG',
    setup: ACCEPT,
  },
  {
    name: 'an empty key and keys of objects',
    make: put(JSON_PATH, '{ "": 1, "__proto__": { "debug": true }, "constructor": 1 }'),
    code: 'E_DAEMON_CONFIG',
    setup: ACCEPT,
  },
  {
    name: '`"live-restore": "true"` (a string)',
    make: put(JSON_PATH, '{ "live-restore": "true" }'),
    code: 'E_DAEMON_JSON',
  },
  {
    name: '`"hosts": ["fd://"]` and no -H',
    make: `${put(JSON_PATH, '{ "hosts": ["fd://"] }')}${execStart('/usr/sbin/dockerd')}`,
  },
  // dockerd --validate accepts each, but dockerd starts with none of them.
  ...[
    ['a seccomp profile that is missing', '"seccomp-profile": "/etc/docker/missing.json"'],
    ['another storage driver', '"storage-driver": "btrfs"'],
    ['a data root that cannot be made', '"data-root": "/proc/docker"'],
    ['an authorization plugin that is missing', '"authorization-plugins": ["missing"]'],
  ].map(([name, setting]) => ({
    name: `edited after the daemon's start: ${name}`,
    make: `sleep 2; ${put(JSON_PATH, `{ ${setting} }`)}`,
    code: 'E_SETTINGS_UNREAD' as const,
    says: /--allow-unread-settings/,
  })),
  {
    name: "edited after the daemon's start: labels, with a reload",
    make: `${json('{ "log-opts": { "max-size": "5m" } }')}; sleep 2; ${put(JSON_PATH, '{ "log-opts": { "max-size": "5m" }, "labels": ["a=b"] }')} systemctl reload docker; sleep 1`,
  },
  {
    name: 'mode 0 and an owner that does not exist',
    make: `${json('{ "debug": true }')}; chmod 0 ${JSON_PATH}; chown 12345:12345 ${JSON_PATH}`,
  },
];
