/** Golden cases of accounts and of sshd: recorded hosts do not have these states. */

import type { Case } from './cases.ts';

const GROUPS = 'root:0:\nsudo:27:ada\nbuild:1001:\ndocker:998:ci\n';
const USERS = 'root:0:0\nada:1000:1000\nci:1002:1002\nbob:1003:1001\n';
const sections = (more: Record<string, string>) => ({
  sections: { groups: GROUPS, users: USERS, 'root-password': 'locked', ...more },
});
const finding = (check: string, name: string, says: string, more: Record<string, string>): Case => ({
  ...{ check, name, says, state: 'finding', change: sections(more) },
});
const pass = (check: string, name: string, more: Record<string, string> = {}): Case => ({
  ...{ check, name, state: 'pass', change: sections(more) },
});
const sudo = (text: string) => ({ sudoers: `/etc/sudoers.d/ci:${text}\n`, operator: 'ada' });

const sshd = (check: string, state: 'finding' | 'pass', says: string, settings: string): Case => ({
  ...{ check, name: settings, state, change: { sections: { 'sshd 0': settings } } },
  ...(state === 'finding' ? { says } : {}),
});

/** What `sshd -T` prints. */
const SSHD_CASES: readonly Case[] = [
  sshd('ssh.14', 'finding', 'Ciphers: aes128-cbc, 3des-cbc', 'ciphers aes256-gcm@openssh.com,aes128-cbc,3des-cbc'),
  sshd('ssh.14', 'finding', 'MACs: hmac-md5-etm@openssh.com', 'macs hmac-sha2-256,hmac-md5-etm@openssh.com'),
  sshd('ssh.14', 'finding', 'KexAlgorithms: diffie-hellman-group14-sha1', 'kexalgorithms diffie-hellman-group14-sha1'),
  sshd('ssh.14', 'pass', '', 'kexalgorithms diffie-hellman-group14-sha256,curve25519-sha256\nmacs hmac-sha1'),
  sshd('ssh.15', 'finding', 'is yes, IgnoreRhosts no', 'hostbasedauthentication yes\nignorerhosts no'),
  sshd('ssh.15', 'finding', 'IgnoreRhosts is no', 'hostbasedauthentication no\nignorerhosts no'),
  sshd('ssh.15', 'pass', '', 'hostbasedauthentication no\nignorerhosts yes'),
  sshd('ssh.16', 'finding', 'is lang,lc_*', 'permituserenvironment LANG,LC_*'),
  sshd('ssh.16', 'pass', '', 'permituserenvironment no'),
  sshd('ssh.17', 'finding', 'PermitTunnel is point-to-point', 'permittunnel point-to-point'),
  sshd('ssh.17', 'pass', '', 'permittunnel no'),
  sshd('ssh.18', 'finding', 'GatewayPorts is clientspecified', 'gatewayports clientspecified'),
  sshd('ssh.18', 'pass', '', 'gatewayports no'),
  {
    ...{ check: 'ssh.18', name: 'in a Match block', state: 'finding', says: 'Match User ci: GatewayPorts is yes' },
    change: { sections: { 'sshd 0': 'gatewayports no', 'sshd-match': 'Match User ci\nGatewayPorts yes' } },
  },
];

export const ACCOUNT_CASES: readonly Case[] = [
  ...SSHD_CASES,
  finding('host.12', 'a second user with the ID 0', 'has the user ID 0', { users: `${USERS}toor:0:0\n` }),
  finding('host.12', 'a second user with the ID 00', 'has the user ID 0', { users: `${USERS}toor:00:0\n` }),
  pass('host.12', 'root alone has the ID 0'),
  finding(
    'host.13',
    'docker without a password',
    'ci runs /usr/bin/docker as root',
    sudo('ci ALL=(ALL) NOPASSWD: /usr/bin/docker'),
  ),
  finding(
    'host.13',
    'everything without a password, for a group by primary group',
    'bob, of %build, runs ALL',
    sudo('%build ALL=(ALL:ALL) NOPASSWD:ALL'),
  ),
  finding('host.13', 'by an alias, over two lines', 'ci runs /usr/bin/docker ps', {
    sudoers:
      '/etc/sudoers:User_Alias BUILDERS = ci, x\n/etc/sudoers:BUILDERS ALL = (root) \\\n/etc/sudoers:  NOPASSWD: /usr/bin/docker ps\n',
  }),
  ...[
    'Cmnd_Alias WORK = WORK, /bin/ls, DOCKER : DOCKER=/usr/bin/docker\nci ALL=(root) NOPASSWD: WORK',
    'Runas_Alias ADM=root\nci ALL=(ADM) NOPASSWD: ALL',
    'ci ALL=(ALL) NOPASSWD : CWD=/srv ALL',
    'Defaults env_reset, !authenticate\nci ALL=(ALL) ALL',
    'Defaults:%docker !authenticate\nci ALL=(ALL) ALL',
    'ci ALL=(ALL) NOPASSWD: /usr/bin/docker*',
    'ci ALL=(ALL) NOPASSWD: /usr/bin/',
    'ci ALL=(ALL) NOPASSWD: /usr/*/[a-e]ocker',
    '%#998 ALL=(ALL) NOPASSWD: ALL',
    '#1002 ALL=(ALL) NOPASSWD: ALL',
    'bob, ci web = (web) /bin/ls : db, dev = (web, root) SETENV: CWD=/srv NOPASSWD: EXEC: sha256:aa /usr/bin/docker',
    'ci ALL=(ALL) PASSWD: /bin/ls, NOPASSWD: /bin/cat, /usr/bin/podman # as agreed',
  ].map((text) => finding('host.13', text, 'ci', sudo(text.replaceAll('\n', '\n/etc/sudoers.d/ci:')))),
  ...[
    'ci ALL=(ALL) NOPASSWD: /bin/ls, PASSWD: ALL',
    'Defaults !authenticate\nci ALL=(ALL) PASSWD: ALL',
    'Defaults:bob !authenticate\nci ALL=(ALL) ALL',
    'ci ALL=(ALL, !root) NOPASSWD: ALL',
    'ci ALL=(ALL) NOPASSWD: /usr/bin/doc',
    'ci ALL=(ALL) NOPASSWD: /opt/tools/, /usr/bin/dock?',
    'ci ALL=(web) NOPASSWD: ALL # (root) NOPASSWD: ALL',
  ].map((text) => pass('host.13', text, sudo(text.replaceAll('\n', '\n/etc/sudoers.d/ci:')))),
  ...[
    '@include /srv/more',
    '@includedir /srv/more',
    '@include cannot be read',
    '+admins ALL=(ALL) NOPASSWD: ALL',
    '"%domain users" ALL=(ALL) ALL',
    'ci ALL=(ALL) NOPASSWD: ^/usr/bin/d.*$',
    'Defaults!/usr/bin/docker !authenticate',
    'what is this',
  ].map(
    (text): Case => ({
      ...{ check: 'host.13', name: text, state: 'not-applicable', says: 'cannot tell' },
      change: sections(sudo(text)),
    }),
  ),
  pass('host.13', 'docker with a password', sudo('ci ALL=(ALL) /usr/bin/docker')),
  pass('host.13', 'another program without a password', sudo('ci ALL=(root) NOPASSWD: /usr/bin/systemctl restart web')),
  pass('host.13', 'as another user than root', sudo('ci ALL=(web) NOPASSWD: ALL')),
  pass('host.13', 'the user of docker-tls itself', sudo('ada ALL=(ALL) NOPASSWD: ALL')),
  finding('host.14', 'an empty password of root', 'has no password', { 'root-password': 'empty' }),
  pass('host.14', 'a locked password of root'),
  finding('host.15', 'a config.json for all', 'every local user can read it', {
    'registry-logins': '81a4 1002 1002 ci ci 90 /home/ci/.docker/config.json',
  }),
  finding('host.15', 'a config.json for a group', 'the group build can read it', {
    'registry-logins': '81a0 1002 1001 ci build 90 /home/ci/.docker/config.json',
  }),
  pass('host.15', 'a config.json for its user', {
    'registry-logins': '8180 1002 1002 ci ci 90 /home/ci/.docker/config.json',
  }),
  ...[
    ['a home of 0700', '41c0 1002 1002 ci ci 90 /home/ci'],
    ["a home of 0750, of the user's own group", '41e8 1002 1002 ci ci 90 /home/ci'],
    ['a .docker of 0700', '41ed 1002 1002 ci ci 90 /home/ci\n41c0 1002 1002 ci ci 90 /home/ci/.docker'],
  ].map(([name = '', directories]) =>
    pass('host.15', `a config.json for all, in ${name}`, {
      groups: `${GROUPS}ci:1002:\n`,
      'registry-logins': `81a4 1002 1002 ci ci 90 /home/ci/.docker/config.json\n${directories}`,
    }),
  ),
  finding('host.15', 'a config.json for all, in a home for a group', 'the group build can read it', {
    'registry-logins': '81a4 1002 1002 ci ci 90 /home/ci/.docker/config.json\n41e8 1002 1001 ci build 90 /home/ci',
  }),
  finding('host.15', 'a config.json for all, in directories for all', 'every local user can read it', {
    'registry-logins': '81a4 1002 1002 ci ci 90 /home/ci/.docker/config.json\n41ed 1002 1002 ci ci 90 /home/ci',
  }),
  { ...pass('host.16', 'services of loopback only', { listening: 'tcp 127.0.0.1:25 users:(("master",pid=1,fd=3))' }) },
  {
    ...{ check: 'host.16', name: 'a service on every address', state: 'not-applicable', says: 'needs a person' },
    change: sections({ listening: 'tcp 0.0.0.0:111 users:(("rpcbind",pid=1,fd=3))\ntcp [::1]:25 x' }),
  },
  pass('host.17', 'a locked password of root'),
  {
    ...{ check: 'host.17', name: 'a password of root', state: 'not-applicable', says: 'needs a person' },
    change: sections({ 'root-password': 'set' }),
  },
];
