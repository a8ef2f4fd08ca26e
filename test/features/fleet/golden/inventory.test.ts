/** Meaning of an inventory, and messages about its mistakes: cases as data. */

import { expect, test } from 'vitest';
import '../../../../src/features/contexts/feature.ts';
import { selectHosts } from '../../../../src/core/domain/hosts/selection.ts';
import { parseSan } from '../../../../src/core/domain/pki/san.ts';
import type { DockerTlsErrors } from '../../../../src/errors/errors.ts';
import { chosenSpecs, parseInventory } from '../../../../src/features/fleet/domain/inventory.ts';
import { complaints, goldenConfig, HOST_BASE } from '../support/files-with-hosts.ts';

/** All hosts of an inventory, or all messages about them. */
const everyHost = (text: string, path?: string) => chosenSpecs(parseInventory(text, path));

test('what Ansible prints of an INI inventory', () => {
  const hosts = everyHost(goldenConfig('ansible-ini.json'), 'i');
  const build = { ...HOST_BASE, days: 90, confirmWithin: 120 };
  expect(hosts).toEqual([
    {
      ...build,
      name: 'build-1',
      port: 2377,
      keyType: 'p384',
      ssh: { destination: '10.0.0.11', user: 'admin', port: 2222, identities: ['~/.ssh/build'] },
    },
    {
      ...build,
      name: 'build-2',
      sans: ['build-2.example.org', '10.0.0.12'].map(parseSan),
      ssh: { destination: 'build-2', jump: ['ops@bastion.example.org', '10.0.0.1:2200'], hostKey: 'accept-new' },
    },
    { ...build, name: 'db1.example.org', ssh: { destination: 'db1.example.org' } },
    { ...build, name: 'db2.example.org', ssh: { destination: 'db2.example.org' } },
    {
      ...HOST_BASE,
      days: 90,
      name: 'edge-1',
      liveRestore: true,
      clients: ['ops', 'ci'],
      ssh: { destination: '2001:db8::7', jump: ['jump@bastion'] },
    },
    { ...HOST_BASE, days: 90, name: 'here', ssh: { destination: 'local' } },
  ]);
  expect(JSON.stringify(hosts)).not.toContain('hunter2');
});

test('what Ansible prints of a YAML inventory', () => {
  const fleet = { ...HOST_BASE, days: 397, keep: 3 };
  expect(everyHost(goldenConfig('ansible-yaml.json'), 'i')).toEqual([
    { ...fleet, name: 'lone', listen: ['10.0.0.9'], ssh: { destination: 'lone', user: 'root' } },
    {
      ...fleet,
      name: 'web-1',
      harden: ['sshd', 'icc'],
      ssh: {
        destination: 'web-1.example.org',
        user: 'root',
        hostKey: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
      },
    },
    {
      ...fleet,
      name: 'web-2',
      ssh: { destination: 'web-2', user: 'root', jump: ['ops@bastion'], configFile: 'ssh/config' },
    },
  ]);
});

const BAD_INVENTORIES: readonly (readonly [variables: Record<string, unknown>, said: unknown])[] = [
  [
    { ansible_connection: 'winrm' },
    expect.toSay('not-connection-docker-tls-supports', 'ansible_connection', '"winrm"'),
  ],
  [{ ansible_host: '{{ ip }}' }, expect.toSay('ansible-inventory-does-not-expand', '"{{ ip }}"')],
  [{ ansible_host: { toString: 1 } }, expect.toSay('not-host')],
  [{ docker_tls_sans: [{ toString: 1 }] }, expect.stringMatching(/text is expected/)],
  [{ ansible_host: 'a;id' }, expect.toSay('not-host-2', 'ansible_host', '"a;id"')],
  [{ ansible_port: 99_999 }, expect.toSay('port-most', 'ansible_port', '65535')],
  [{ docker_tls_ssh_port: 0, ansible_port: 22 }, expect.toSay('port-least', 'docker_tls_ssh_port', '1')],
  [
    { ansible_ssh_common_args: '-o Port=ssh' },
    expect.stringMatching(/^i: h ansible_ssh_common_args: ssh is not a port/),
  ],
  [
    { ansible_user: { __ansible_vault: '$ANSIBLE_VAULT;1.1;AES256\n3333' }, ansible_password: 'hunter2' },
    expect.toSay('encrypted-ansible-vault-ansible-inventory', 'ansible_user', '--vault-password-file FILE'),
  ],
  [
    { ansible_ssh_common_args: '-o ProxyCommand="nc %h %p"' },
    expect.toSay('proxycommand-cannot-taken-over', 'ssh/config'),
  ],
  [{ docker_tls_prot: 2377 }, expect.toSay('no-key-prot-hosts', 'docker_tls_prot')],
  [{ docker_tls_port: 'x' }, expect.toSay('expected-port-not-text', 'docker_tls_port')],
  [{ docker_tls_ssh_idenitites: 'x' }, expect.toSay('no-key-idenitites-hosts')],
  [
    { docker_tls_sudo_password: 'hunter2' },
    expect.toSay('cannot-set-inventory', 'docker_tls_sudo_password', '--sudo-password-file FILE'),
  ],
  [{ docker_tls_address: 'a\u001b[2J' }, expect.toSay('holds-control-character')],
];

test.each(BAD_INVENTORIES)('said of an inventory with %o', (variables, said) => {
  const text = JSON.stringify({ _meta: { hostvars: { h: variables } } });
  const lines = complaints(() => everyHost(text, 'i'));
  expect(lines.join('\n')).toEqual(said);
  expect(lines.join('\n')).not.toContain('hunter2');
});

test('switches of an INI inventory, and values that Ansible marks as unsafe', () => {
  const hostvars = {
    a: { docker_tls_use: 'true', docker_tls_config_directory: 'yes', docker_tls_live_restore: 'no' },
    b: { docker_tls_use: false, docker_tls_config_directory: 'no', ansible_user: { __ansible_unsafe: 'ops' } },
  };
  const [a, b] = everyHost(JSON.stringify({ _meta: { hostvars } }), 'i');
  expect(a).toMatchObject({ use: true, configDirectory: true, liveRestore: false });
  expect(b).toMatchObject({ ssh: { user: 'ops' } });
  expect([b?.use, b?.configDirectory]).toEqual([undefined, undefined]);
});

test('a list of hosts, one a line', () => {
  const text =
    '# build\nroot@build-1.example.org\n\n  admin@[2001:db8::7]:2222   # edge\nlocal\nroot@build-1.example.org\r\n';
  expect(everyHost(text).map(({ name, ssh }) => ({ name, ...ssh }))).toEqual([
    { name: 'build-1.example.org', destination: 'build-1.example.org', user: 'root' },
    { name: '2001-db8-7', destination: '2001:db8::7', user: 'admin', port: 2222 },
    { name: 'local', destination: 'local' },
  ]);
  expect(complaints(() => everyHost('a\n$(id)\nroot@a\n', 'stdin'))).toEqual([
    expect.toSay('not-host-line', 'stdin:2', '"$(id)"', 'root@build-1.example.org:22'),
    expect.toSay('second-host-called-give', 'stdin:3', 'docker-tls plan -f fleet.yaml'),
  ]);
});

test('an inventory with nothing in it is what a pipe holds whose first program failed', () => {
  for (const text of ['', '\n', '\ufeff']) {
    expect(complaints(() => everyHost(text, 'stdin'))[0]).toSay('stdin-nothing');
  }
  expect(everyHost('# none today\n')).toEqual([]);
  expect(everyHost('{"_meta": {"hostvars": {}}}')).toEqual([]);
});

test('a host that is not for us is no trouble as long as it is not chosen', () => {
  const inventory = (hostvars: object) => parseInventory(JSON.stringify({ _meta: { hostvars } }), 'i');
  const all = inventory({ web: {}, win: { ansible_connection: 'winrm' }, 'win-2': { ansible_connection: 'winrm' } });
  expect(all.map(({ name, problems }) => [name, problems.length])).toEqual([
    ['web', 0],
    ['win', 1],
    ['win-2', 1],
  ]);
  expect(chosenSpecs(selectHosts(all, { limit: ['web'] })).map(({ name }) => name)).toEqual(['web']);
  expect(complaints(() => chosenSpecs(selectHosts(all, { limit: ['w*', 'web'] })))).toHaveLength(2);
  expect(complaints(() => chosenSpecs(selectHosts(all, { limit: ['win'] })))[0]).toSay('leave-host-out', '--limit');
});

test('an inventory of INI is turned into JSON by a command that names it', () => {
  try {
    parseInventory('[prod]\nweb\n', 'my hosts.ini');
    expect.unreachable();
  } catch (error) {
    const [first] = (error as DockerTlsErrors).errors;
    expect(first?.hints).toEqual(["ansible-inventory -i 'my hosts.ini' --list > inventory.json"]);
  }
});
