/** Meaning of the fleet file, and messages about its mistakes: cases as data. */

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import '../../../../src/features/contexts/feature.ts';
import { parseSan } from '../../../../src/core/domain/pki/san.ts';
import { parseFleet } from '../../../../src/features/fleet/domain/fleet.ts';
import { complaints, goldenConfig, HOST_BASE } from '../support/files-with-hosts.ts';

test('every key means what it says', () => {
  const fleet = parseFleet(goldenConfig('every-key.yaml'), 'fleet.yaml');
  const shared = { user: 'admin', identities: ['~/.ssh/id_ed25519'], jump: ['ops@bastion.example.org:2200'] };
  expect(fleet).toEqual({
    path: 'fleet.yaml',
    ca: { name: 'example', keyType: 'p384', days: 1825 },
    defaults: { ssh: shared, days: 90, clients: ['ops'] },
    hosts: [
      {
        ...HOST_BASE,
        days: 90,
        clients: ['ops'],
        name: 'build-1.example.org',
        ssh: { ...shared, destination: 'build-1.example.org' },
      },
      {
        ...HOST_BASE,
        days: 90,
        clients: ['ops'],
        name: 'build-2',
        ssh: { ...shared, user: 'root', destination: '10.0.0.12', port: 2222 },
      },
      {
        name: 'edge',
        ssh: {
          destination: '2001:db8::7',
          user: 'edge',
          port: 2022,
          configFile: 'ssh/config',
          jump: ['a.example.org', 'b.example.org'],
          hostKey: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
        },
        address: 'edge.example.org',
        description: 'the proxy, rack 4',
        port: 2377,
        reach: 'direct',
        listen: ['10.0.0.9', '2001:db8::7'],
        sans: ['edge.internal', '*.edge.example.org', '192.0.2.7'].map(parseSan),
        keyType: 'rsa3072',
        days: 30,
        containers: 'may-stop',
        keys: 'host',
        liveRestore: true,
        keep: 9,
        confirmWithin: 120,
        context: 'edge-docker',
        use: true,
        configDirectory: true,
      },
      { ...HOST_BASE, days: 90, clients: ['ops'], name: 'here', ssh: { ...shared, destination: 'local' } },
    ],
    clients: [
      { name: 'ops', keyType: 'p256', days: 397 },
      { name: 'ci', keyType: 'ed25519', days: 30, hosts: ['edge'] },
      { name: 'left-us', keyType: 'p256', days: 397, revoked: true },
    ],
    secrets: {
      sudoDefault: 'file:secrets/sudo',
      caPassphrase: 'env:DOCKER_TLS_CA_PASSPHRASE',
      sudoPassword: {
        'build-1.example.org': 'file:secrets/sudo',
        'build-2': 'file:secrets/sudo',
        edge: 'prompt',
        here: 'file:secrets/sudo',
      },
    },
  });
});

/** Body of a fleet file (after `version: 1`, so its first line is line 2), mapped to the place of each mistake; words in config/mistakes.txt. */
const MISTAKES: Readonly<Record<string, readonly [text: string, where: readonly string[]]>> = {
  'a key that is near another': ['host: {}', ['f:2:1']],
  'a key in another spelling': ['hosts:\n  a: { keyType: p256, key_type: p256 }', ['f:3:8', 'f:3:23']],
  'a key in the wrong map': ['hosts:\n  a: { user: root, ssh: { keys: host } }', ['f:3:8', 'f:3:27']],
  'the address of all hosts': ['defaults: { address: a.example.org }', ['f:2:13']],
  'a key twice': ['hosts:\n  a:\n  b:\n  a:', ['f:5:3']],
  'names that are one directory on some systems': ['hosts: {a: b, A: c}', ['f:2:15']],
  'one host under two names': ['hosts: {a: root@x, b: admin@X}', ['f:2:20']],
  'a name that is none': ['hosts:\n  ../a: x\n  con: y\nclients: {"-x": }', ['f:3:3', 'f:5:11', 'f:4:3'].sort()],
  'a client that is not there': ['hosts:\n  a: { clients: [laptpo, ops] }\nclients: { laptop: }', ['f:3:18', 'f:3:26']],
  'a client that is not there, of all hosts': [
    'defaults: { clients: [laptpo] }\nhosts: { a: }\nclients: { laptop: }',
    ['f:2:23'],
  ],
  'a host that is not there': ['hosts: { a: }\nclients: { c: { hosts: [b] } }', ['f:3:25']],
  'access that contradicts itself': [
    'hosts: { a: { clients: [x] }, b: }\nclients: { x: { hosts: [b] }, y: { hosts: [a] } }',
    ['f:2:25', 'f:3:44'],
  ],
  'contradictions beside a wrong shape': [
    'hosts: { a: { prt: 1 }, b: root@x, c: ops@x, d: { ssh: { destination: y:2222, port: 22 } }, e: { clients: [o] } }\nclients: { o: { hosts: [b] }, p: { days: 0 } }',
    ['f:2:15', 'f:2:36', 'f:2:79', 'f:2:108', 'f:3:42'],
  ],
  'hosts are not compared where their defaults are wrong': [
    'defaults: { prt: 1 }\nhosts: { b: root@x, c: ops@x:2222 }',
    ['f:2:13'],
  ],
  'two contexts of one name, two that are current': [
    'hosts: { a: { context: lab, use: true }, b: { context: lab, use: true }, c: { context: default } }',
    ['f:2:47', 'f:2:61', 'f:2:88'],
  ],
  'a context of a host without a port': [
    'hosts: { a: { listen: [none], context: lab, use: true }, b: { listen: [none] }, c: { context: lab2 } }',
    ['f:2:31', 'f:2:45'],
  ],
  'an empty list of clients': ['hosts: { a: { clients: [] } }', ['f:2:24']],
  'secrets themselves': [
    'ca: { passphrase: correct horse }\nhosts: { a: { sudo-password: 12345 } }',
    ['f:2:19', 'f:3:30'],
  ],
  'values of another kind': [
    'hosts:\n  a: { port: "2376", sans: a.example.org, address: 10, live-restore: yes, days: 1.5, keep: }',
    ['f:3:14', 'f:3:28', 'f:3:52', 'f:3:70', 'f:3:81', 'f:3:92'],
  ],
  'numbers that are too long, and right values in quotes': [
    'hosts:\n  a: { days: 99999999999999999999999, port: 1e400, use: "true" }',
    ['f:3:14', 'f:3:45', 'f:3:57'],
  ],
  'numbers and times out of range': [
    'hosts: { a: { port: 65536, days: 0, keep: 0, confirm-within: 3s }, b: { confirm-within: 3 }, c: { confirm-within: 90 s } }',
    ['f:2:21', 'f:2:34', 'f:2:43', 'f:2:62', 'f:2:89', 'f:2:115'],
  ],
  'text that is no line': ['hosts: { a: { description: "" }, b: { description: 7 } }', ['f:2:28', 'f:2:52']],
  'a choice that is none': ['hosts: { a: { key-type: p265, containers: stop } }', ['f:2:25', 'f:2:43']],
  'what a shell would take for something else': [
    'hosts: { a: $(id), b: { ssh: "-oProxyCommand=id" }, c: { address: "a;b", sans: ["`id`"], ssh: { jump: ["x y"], user: "r|m", identities: [-F] } } }',
    ['f:2:13', 'f:2:30', 'f:2:67', 'f:2:81', 'f:2:104', 'f:2:118', 'f:2:138'],
  ],
  'what cannot be seen': ['hosts: { a: "x\\u0000", b: "x\\e[2J", c: "x\\u202e" }', ['f:2:13', 'f:2:27', 'f:2:40']],
  'user and port twice': ['hosts: { a: { ssh: { destination: root@x:22, user: b, port: 22 } } }', ['f:2:46', 'f:2:55']],
  'several documents': ['---\na: 1', ['f:2:1']],
  'a tab': ['hosts:\n\ta: x', ['f:3:1']],
  'a tag': ['hosts: !!js/function x', ['f:2:8']],
  'a quotation mark that stays open': ['hosts:\n  a: "b\n  c: d', ['f:3:6']],
  'an alias without an anchor': ['hosts: { a: *b }', ['f:2:13']],
  'an alias within itself': ['hosts: { a: &a { ssh: *a } }', ['f:2:23']],
  'merge keys': ['hosts: { a: { <<: x } }', ['f:2:15']],
};

const saidOf = (text: string) => complaints(() => parseFleet(`version: 1\n${text}\n`, 'f')).sort();

test.each(Object.entries(MISTAKES))('said of %s', (_, [text, where]) => {
  expect(saidOf(text).map((line) => line.split(' ')[0])).toEqual([...where].sort());
});

test('every mistake is said in the words of the golden file (UPDATE_GOLDEN=1 writes it anew: review the difference)', () => {
  const file = new URL('config/mistakes.txt', import.meta.url);
  const text = Object.entries(MISTAKES)
    .map(([name, [body]]) => [`# ${name}`, ...saidOf(body), ''].join('\n'))
    .join('\n');
  if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
});

test('errors come in the order of the file', () => {
  const said = complaints(() => parseFleet('version: 2\nhosts: { b: { port: 0 }, a: [] }\nclients: 3\nx: 1\n', 'f'));
  expect(said.map((line) => line.split(' ')[0])).toEqual(['f:1:10', 'f:2:21', 'f:2:29', 'f:3:10', 'f:4:1']);
});

test('no file, no fleet', () => {
  expect(complaints(() => parseFleet('', 'f'))[0]).toSay('file-empty-2', 'f:1:1');
  expect(complaints(() => parseFleet('# nothing\n', 'f'))[0]).toSay('file-empty');
  expect(complaints(() => parseFleet('- a\n', 'f'))[0]).toSay('not-map-keys-such');
  expect(complaints(() => parseFleet('hosts: {}\n', 'f'))[0]).toSay('version-missing-version', 'f:1:1', '1');
});
