/** Meaning of the fleet file, and messages about its mistakes: cases as data. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseFleet } from '../../../src/core/domain/fleet/fleet.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';
import { DockerTlsErrors } from '../../../src/errors/errors.ts';

const golden = (name: string) => readFileSync(new URL(`config/${name}`, import.meta.url), 'utf8');

/** The errors of a text, as `line:column message | hints`. */
function complaints(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (!(error instanceof DockerTlsErrors)) throw error;
    return error.errors.map((one) => {
      expect(one.exit).toBe(2);
      return [`${one.where} ${one.message}`, ...one.hints].join(' | ');
    });
  }
  throw new Error('nothing was wrong');
}

const BASE = {
  port: 2376,
  reach: 'direct',
  listen: [],
  sans: [],
  keyType: 'p256',
  containers: 'keep',
  keys: 'store',
  keep: 5,
  confirmWithin: 90,
};

test('every key means what it says', () => {
  const fleet = parseFleet(golden('every-key.yaml'), 'fleet.yaml');
  const shared = { user: 'admin', identities: ['~/.ssh/id_ed25519'], jump: ['ops@bastion.example.org:2200'] };
  expect(fleet).toEqual({
    path: 'fleet.yaml',
    ca: { name: 'example', keyType: 'p384', days: 1825 },
    defaults: { ssh: shared, days: 90, clients: ['ops'] },
    hosts: [
      {
        ...BASE,
        days: 90,
        clients: ['ops'],
        name: 'build-1.example.org',
        ssh: { ...shared, destination: 'build-1.example.org' },
      },
      {
        ...BASE,
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
          transport: 'openssh',
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
      { ...BASE, days: 90, clients: ['ops'], name: 'here', ssh: { ...shared, destination: 'local' } },
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

/** Body of a fleet file (after `version: 1`, so its first line is line 2), mapped to all messages. */
const MISTAKES: Readonly<Record<string, readonly [text: string, said: readonly string[]]>> = {
  'a key that is near another': ['host: {}', ['f:2:1 there is no key host in a fleet file | did you mean hosts?']],
  'a key in another spelling': [
    'hosts:\n  a: { keyType: p256, key_type: p256 }',
    [
      'f:3:8 there is no key keyType in hosts | did you mean key-type?',
      'f:3:23 there is no key key_type in hosts | did you mean key-type?',
    ],
  ],
  'a key in the wrong map': [
    'hosts:\n  a: { user: root, ssh: { keys: host } }',
    [
      'f:3:8 there is no key user in hosts | user belongs into ssh: { user: … }',
      'f:3:27 there is no key keys in hosts | write keys next to ssh, not inside it',
    ],
  ],
  'the address of all hosts': [
    'defaults: { address: a.example.org }',
    ['f:2:13 address belongs to one host, not to the defaults of all'],
  ],
  'a key twice': ['hosts:\n  a:\n  b:\n  a:', ['f:5:3 a is given twice']],
  'names that are one directory on some systems': [
    'hosts: {a: b, A: c}',
    ['f:2:15 A and a differ only in upper and lower case'],
  ],
  'one host under two names': [
    'hosts: {a: root@x, b: admin@X}',
    ['f:2:20 b is reached at X, just as a: one host, two names'],
  ],
  // The system's Docker and a user's are two daemons.
  'one rootless Docker under two names': [
    'hosts: {a: root@x, b: {ssh: {destination: x, user: own, rootless: true}}, c: {ssh: {destination: x, user: own, rootless: true}}}',
    ['f:2:75 c is reached at x, just as b: one host, two names'],
  ],
  'a name that is none': [
    'hosts:\n  ../a: x\n  con: y\nclients: {"-x": }',
    [
      'f:3:3 "../a" cannot be a name: it does not begin with a letter or digit | up to 128 letters, digits and . _ @ + - after a first letter or digit',
      'f:5:11 "-x" cannot be a name: it does not begin with a letter or digit | up to 128 letters, digits and . _ @ + - after a first letter or digit',
      'f:4:3 "con" cannot be a name: Windows reserves it for a device | up to 128 letters, digits and . _ @ + - after a first letter or digit',
    ].sort(),
  ],
  'a client that is not there': [
    'hosts:\n  a: { clients: [laptpo, ops] }\nclients: { laptop: }',
    [
      'f:3:18 there is no client laptpo in this file | did you mean laptop?',
      'f:3:26 there is no client ops in this file | write it under clients, even if only as `ops:`',
    ],
  ],
  'a client that is not there, of all hosts': [
    'defaults: { clients: [laptpo] }\nhosts: { a: }\nclients: { laptop: }',
    ['f:2:23 there is no client laptpo in this file | did you mean laptop?'],
  ],
  'a host that is not there': [
    'hosts: { a: }\nclients: { c: { hosts: [b] } }',
    ['f:3:25 there is no host b in this file | did you mean a?'],
  ],
  'access that contradicts itself': [
    'hosts: { a: { clients: [x] }, b: }\nclients: { x: { hosts: [b] }, y: { hosts: [a] } }',
    [
      'f:2:25 a accepts client x, whose hosts leave a out | add a to the hosts of x, or take x out here',
      'f:3:44 y names host a, whose clients leave y out | add y to the clients of a, or take a out here',
    ],
  ],
  'contradictions beside a wrong shape': [
    'hosts: { a: { prt: 1 }, b: root@x, c: ops@x, d: { ssh: { destination: y:2222, port: 22 } }, e: { clients: [o] } }\nclients: { o: { hosts: [b] }, p: { days: 0 } }',
    [
      'f:2:15 there is no key prt in hosts | did you mean port?',
      'f:2:36 c is reached at x, just as b: one host, two names',
      'f:2:79 port is given twice: here and in destination',
      'f:2:108 e accepts client o, whose hosts leave e out | add e to the hosts of o, or take o out here',
      'f:3:42 days is at least 1',
    ],
  ],
  'hosts are not compared where their defaults are wrong': [
    'defaults: { prt: 1 }\nhosts: { b: root@x, c: ops@x:2222 }',
    ['f:2:13 there is no key prt in defaults | did you mean port?'],
  ],
  'two contexts of one name, two that are current': [
    'hosts: { a: { context: lab, use: true }, b: { context: lab, use: true }, c: { context: default } }',
    [
      'f:2:47 a has this context',
      'f:2:61 a has the current context already',
      'f:2:88 "default" cannot be the name of a docker context: docker reserves it',
    ],
  ],
  'an empty list of clients': [
    'hosts: { a: { clients: [] } }',
    ['f:2:24 the list is empty: no client would be accepted | take the key out, or write all'],
  ],
  'secrets themselves': [
    'ca: { passphrase: correct horse }\nhosts: { a: { sudo-password: 12345 } }',
    ['f:2:19', 'f:3:30'].map(
      (at) =>
        `${at} a secret is never written in a file; name where it comes from: env:NAME, file:PATH or prompt | if this was a real password, change it: the file may have been copied already | prompt asks for it at each run`,
    ),
  ],
  'values of another kind': [
    'hosts:\n  a: { port: "2376", sans: a.example.org, address: 10, live-restore: yes, days: 1.5, keep: }',
    [
      'f:3:14 a number is expected for port, not text',
      'f:3:28 a list is expected for sans, not text | sans: [a.example.org]',
      'f:3:52 text is expected for address, not a number | put it in quotes: "10"',
      'f:3:70 true or false is expected for live-restore, not text | live-restore: true, or live-restore: false',
      'f:3:81 a whole number is expected for days, not a number with a fraction',
      'f:3:92 a number is expected for keep, not nothing | write a value, or take the key out',
    ],
  ],
  'numbers that are too long, and right values in quotes': [
    'hosts:\n  a: { days: 99999999999999999999999, port: 1e400, use: "true" }',
    [
      'f:3:14 days is at most 36500',
      'f:3:45 a number is expected for port, not one beyond all numbers',
      'f:3:57 use is true, not text | use: true',
    ],
  ],
  'numbers and times out of range': [
    'hosts: { a: { port: 65536, days: 0, keep: 0, confirm-within: 3s }, b: { confirm-within: 3 }, c: { confirm-within: 90 s } }',
    [
      'f:2:21 port is at most 65535',
      'f:2:34 days is at least 1',
      'f:2:43 keep is at least 1',
      'f:2:62 a change waits from 10s up to 24h for its confirmation',
      'f:2:89 confirm-within is at least 10',
      'f:2:115 this is not a time; write 90s, 15m or 2h',
    ],
  ],
  'text that is no line': [
    'hosts: { a: { description: "" }, b: { description: 7 } }',
    [
      'f:2:28 one line of 1 to 200 printable characters is expected',
      'f:2:52 text is expected for description, not a number | put it in quotes: "7"',
    ],
  ],
  'a choice that is none': [
    'hosts: { a: { key-type: p265, containers: stop } }',
    [
      'f:2:25 p265 is not possible for key-type; there is p256, p384, ed25519, rsa2048, rsa3072, rsa4096 | did you mean p256?',
      'f:2:43 stop is not possible for containers; there is keep, may-stop',
    ],
  ],
  'what a shell would take for something else': [
    'hosts: { a: $(id), b: { ssh: "-oProxyCommand=id" }, c: { address: "a;b", sans: ["`id`"], ssh: { jump: ["x y"], user: "r|m", identities: [-F] } } }',
    [
      'f:2:13 "$(id)" is not a host: [user@]name[:port], ssh://user@name:port, or local | for instance root@build-1.example.org, or admin@[2001:db8::7]:2222',
      'f:2:30 "-oProxyCommand=id" is not a host: [user@]name[:port], ssh://user@name:port, or local | for instance root@build-1.example.org, or admin@[2001:db8::7]:2222',
      'f:2:67 "a;b" is not a name for a certificate: it is neither a DNS name nor an IP address | give a name such as build-1.example.com, 10.0.0.5 or 2001:db8::5',
      'f:2:81 "`id`" is not a name for a certificate: it is neither a DNS name nor an IP address | give a name such as build-1.example.com, 10.0.0.5 or 2001:db8::5',
      'f:2:104 "x y" is not a host: [user@]name[:port], ssh://user@name:port, or local | for instance root@build-1.example.org, or admin@[2001:db8::7]:2222',
      'f:2:118 "r|m@host" is not a host: [user@]name[:port], ssh://user@name:port, or local | for instance root@build-1.example.org, or admin@[2001:db8::7]:2222',
      'f:2:138 a file name that begins with - looks like an option | write ./-F',
    ],
  ],
  'what cannot be seen': [
    'hosts: { a: "x\\u0000", b: "x\\e[2J", c: "x\\u202e" }',
    ['f:2:13', 'f:2:27', 'f:2:40'].map((at) => `${at} a control character or invisible character`),
  ],
  'user and port twice': [
    'hosts: { a: { ssh: { destination: root@x:22, user: b, port: 22 } } }',
    ['f:2:46 user is given twice: here and in destination', 'f:2:55 port is given twice: here and in destination'],
  ],
  'several documents': ['---\na: 1', ['f:2:1 there is a second document in the file: a fleet is one, without ---']],
  'a tab': ['hosts:\n\ta: x', ['f:3:1 a tab cannot indent YAML: use spaces']],
  'a tag': ['hosts: !!js/function x', ['f:2:8 tags (!…) are not used in a fleet file']],
  'a quotation mark that stays open': ['hosts:\n  a: "b\n  c: d', ['f:3:6 a closing quotation mark is missing']],
  'an alias without an anchor': ['hosts: { a: *b }', ['f:2:13 an alias (*) without its anchor (&) before it']],
  'an alias within itself': ['hosts: { a: &a { ssh: *a } }', ['f:2:23 an alias (*) inside its own anchor']],
  'merge keys': [
    'hosts: { a: { <<: x } }',
    ['f:2:15 merge keys (<<) are not part of YAML 1.2: use defaults, or repeat a whole value with an alias'],
  ],
};

test.each(Object.entries(MISTAKES))('said of %s', (_, [text, said]) => {
  expect(complaints(() => parseFleet(`version: 1\n${text}\n`, 'f')).sort()).toEqual([...said].sort());
});

test('errors come in the order of the file', () => {
  const said = complaints(() => parseFleet('version: 2\nhosts: { b: { port: 0 }, a: [] }\nclients: 3\nx: 1\n', 'f'));
  expect(said.map((line) => line.split(' ')[0])).toEqual(['f:1:10', 'f:2:21', 'f:2:29', 'f:3:10', 'f:4:1']);
});

test('no file, no fleet', () => {
  expect(complaints(() => parseFleet('', 'f'))[0]).toMatch(/^f:1:1 the file is empty/);
  expect(complaints(() => parseFleet('# nothing\n', 'f'))[0]).toMatch(/the file is empty/);
  expect(complaints(() => parseFleet('- a\n', 'f'))[0]).toMatch(/not a map of keys such as version and hosts/);
  expect(complaints(() => parseFleet('hosts: {}\n', 'f'))[0]).toBe('f:1:1 version is missing | version: 1');
});
