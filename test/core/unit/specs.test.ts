/** Resolution of a typed host: a known one, another one, or an ambiguous one. */

import { describe, expect, test } from 'vitest';
import type { HostRecord, StoreState } from '../../../src/core/adapters/store/records.ts';
import { hostKeyNotes, withRecordedKey, withSeenKey } from '../../../src/core/domain/hosts/recorded-key.ts';
import { type HostFlags, recordedSpecs, specFor, specsFor, storedSpecs } from '../../../src/core/domain/hosts/specs.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';

const RECORD: HostRecord = {
  ...completeHost({
    name: 'build-1',
    ssh: { destination: '10.0.0.1', user: 'root', identities: ['/keys/a'] },
    port: 2377,
    listen: ['10.0.0.1'],
    keyType: 'p384',
    days: 30,
    clients: ['ada'],
  }),
  address: 'build-1.example.org',
  createdAt: '2026-01-01T00:00:00Z',
  updatedAt: '2026-01-01T00:00:00Z',
};

function stateOf(...records: readonly Partial<HostRecord>[]): StoreState {
  const hosts = new Map(
    records.map((more) => {
      const record = { ...RECORD, ...more };
      return [record.name, { record, ca: '', serverCert: '' }];
    }),
  );
  return { hosts, clients: new Map(), issuers: new Map(), oldCas: [] };
}

const again = ({ host }: { host?: string }) => `again ${host}`;
const NONE: HostFlags = { ssh: {} };
const state = stateOf({}, { name: '127.0.0.1', ssh: { destination: '127.0.0.1', port: 2222 }, address: '127.0.0.1' });

/** All fields of the record that a new host would not have. */
const KNOWN = { name: 'build-1', port: 2377, listen: ['10.0.0.1'], clients: ['ada'], keyType: 'p384', days: 30 };

test.each([
  ['its name', 'build-1', NONE, { user: 'root' }],
  ['where it is', 'root@10.0.0.1', NONE, { user: 'root' }],
  ['where it is, as no particular user', '10.0.0.1:22', NONE, { user: 'root' }],
  ['another user', 'ops@10.0.0.1', NONE, { user: 'ops' }],
  ['its name with another user', 'ops@build-1', NONE, { user: 'ops' }],
  ['its name with the port', 'ops@build-1:22', NONE, { user: 'ops' }],
  ['another user and the name', 'ops@10.0.0.1', { name: 'build-1', ssh: {} }, { user: 'ops' }],
])('a host that is known by %s starts from its record', (_, host, flags, ssh) => {
  const spec = specFor(host, state, flags);
  expect(spec).toMatchObject({ ...KNOWN, address: 'build-1.example.org' });
  expect(spec.ssh).toMatchObject({ destination: '10.0.0.1', identities: ['/keys/a'], ...ssh });
});

test.each<[string, string, HostFlags, string]>([
  ['another host under a known name', 'root@10.0.0.2', { name: 'build-1', ssh: {} }, 'E_HOST_TAKEN'],
  ['another port of the same address', 'root@127.0.0.1:2200', NONE, 'E_HOST_TAKEN'],
  ['another port, with an address but no name', '127.0.0.1:2200', { address: '127.0.0.1', ssh: {} }, 'E_HOST_TAKEN'],
  ['a known name with another port', 'ops@build-1:2200', NONE, 'E_HOST_TAKEN'],
  ['a known name by another way', 'ops@build-1', { ssh: { jump: ['b'] } }, 'E_HOST_TAKEN'],
  ['another way to the same address', 'root@10.0.0.1', { name: 'build-1', ssh: { jump: ['b'] } }, 'E_HOST_TAKEN'],
  ['a second name by the first', 'build-1', { name: 'other', ssh: {} }, 'E_HOST_KNOWN'],
  ['a second name by where it is', 'root@10.0.0.1', { name: 'other', ssh: {} }, 'E_HOST_KNOWN'],
])('refused: %s', (_, host, flags, code) => {
  expect(() => specFor(host, state, flags)).toThrow(expect.objectContaining({ code, exit: 2 }));
});

describe("root's Docker and a rootless one on one host are two daemons", () => {
  const own = { name: 'own-1', port: 2378, ssh: { destination: '10.0.0.1', user: 'rooty', rootless: true as const } };
  const both = stateOf({}, own);
  const ROOTLESS: HostFlags = { ssh: { rootless: true } };

  test.each<[string, HostFlags, string | undefined]>([
    ['rooty@10.0.0.1', ROOTLESS, 'own-1'],
    // The user's own rootless host.
    ['rooty@10.0.0.1', NONE, 'own-1'],
    ['root@10.0.0.1', NONE, 'build-1'],
    ['ops@10.0.0.1', NONE, 'build-1'],
    ['10.0.0.1', NONE, 'build-1'],
    ['eve@10.0.0.1', { ...ROOTLESS, name: 'own-2' }, 'own-2'],
  ])('%s %j', (host, flags, name) => {
    expect(specFor(host, both, flags).name).toBe(name);
    expect(specFor(host, stateOf(own, {}), flags).name).toBe(name);
  });

  test('beside the one that is known, whichever that is, another gets a record of its own', () => {
    const flags = { ...ROOTLESS, name: 'own-1', port: 2378 };
    const spec = specFor('rooty@10.0.0.1', state, flags);
    expect(spec).toMatchObject({ name: 'own-1', port: 2378, listen: [], ssh: { user: 'rooty', rootless: true } });
    expect(spec.clients).toBeUndefined();
    const root = specFor('root@10.0.0.1', stateOf(own), { ssh: {}, name: 'build-1' });
    expect([root.name, root.port, root.ssh.rootless]).toEqual(['build-1', 2376, undefined]);
    // Without a user in the record, any login user matches.
    const loose = stateOf({ ...own, ssh: { ...own.ssh, user: undefined } });
    expect(specFor('rooty@10.0.0.1', loose, ROOTLESS).name).toBe('own-1');
  });

  test.each([
    ['build-1', "root's Docker", 'USER@10.0.0.1 --rootless --name build-1-USER --port 2378'],
    ['rooty@10.0.0.1', "root's Docker", 'rooty@10.0.0.1 --rootless --name build-1-rooty --port 2378', 'build-1'],
  ])('one name for both is refused: %s --rootless', (host, whose, words, name?: string) => {
    expect(() => specFor(host, state, { ...ROOTLESS, ...(name ? { name } : {}) })).toThrow(
      expect.objectContaining({
        code: 'E_HOST_TAKEN',
        message: expect.toSay('name-of-other-daemon', 'build-1', whose),
        hints: [expect.toSay('other-name-and-port', `docker-tls setup ${words}`)],
      }),
    );
  });
});

test('the refusal says what the name stands for and how to go on', () => {
  expect(() => specFor('127.0.0.1:2200', state, NONE)).toThrow(
    expect.objectContaining({
      message: expect.toSay('name-of-other-host', '127.0.0.1', '127.0.0.1:2222'),
      hints: expect.arrayContaining([
        expect.toSay('other-name', 'docker-tls setup 127.0.0.1:2200 --name NAME'),
        expect.toSay('moved', '127.0.0.1', 'docker-tls setup 127.0.0.1:2200 --name 127.0.0.1 --address 127.0.0.1'),
      ]),
    }),
  );
});

test('another name for a known host is given by rename', () => {
  expect(() => specFor('root@10.0.0.1', state, { name: 'other', ssh: {} })).toThrow(
    expect.objectContaining({
      hints: expect.arrayContaining([expect.toSay('rename', 'docker-tls rename build-1 other')]),
    }),
  );
});

test('a host that moved is known by its name and its new address', () => {
  const flags = { name: '127.0.0.1', address: '127.0.0.2', ssh: {} };
  const spec = specFor('root@127.0.0.2', state, flags);
  expect(spec).toMatchObject({ ...KNOWN, name: '127.0.0.1', address: '127.0.0.2' });
  expect(spec.ssh.port).toBeUndefined();
});

test('the same private address behind another jump host is a new host, and nothing of the known one is its', () => {
  const spec = specFor('root@10.0.0.1', state, { name: 'build-2', ssh: { jump: ['b'] } });
  expect(spec).toMatchObject({ name: 'build-2', port: 2376, listen: [], ssh: { jump: ['b'] } });
  expect(spec.clients).toBeUndefined();
  expect(spec.ssh.identities).toBeUndefined();
});

test('two hosts that would get one name are refused in one run; one that is said twice is one', () => {
  expect(() => specsFor(['root@new:2201', 'root@new:2202'], state, NONE)).toThrow(
    expect.objectContaining({ code: 'E_HOST_TAKEN' }),
  );
  expect(specsFor(['root@new', 'new', 'build-1'], state, NONE).map(({ name }) => name)).toEqual(['new', 'build-1']);
});

test('a name stands for the port of its record as well', () => {
  const far = stateOf({ ssh: { destination: '10.0.0.1', user: 'root', port: 2222 } });
  expect(specFor('ops@build-1', far, NONE).ssh).toEqual({ destination: '10.0.0.1', user: 'ops', port: 2222 });
});

test('a stored host is found by its name or by where it is, for any user', () => {
  for (const host of ['ops@build-1', 'ops@10.0.0.1'])
    expect(storedSpecs([host], state, again)).toMatchObject([
      { ...KNOWN, ssh: { destination: '10.0.0.1', user: 'ops' } },
    ]);

  expect(storedSpecs(['ops@10.0.0.1', 'build-1'], state, again).map(({ name }) => name)).toEqual([
    'build-1',
    'build-1',
  ]);
  expect(() => storedSpecs(['ops@10.0.0.2'], state, again)).toThrow(
    expect.objectContaining({ code: 'E_HOST_UNKNOWN' }),
  );
  expect(() => storedSpecs(['-x'], state, again)).toThrow(expect.objectContaining({ code: 'E_HOST_UNKNOWN' }));
});

test('hosts of the store are taken by their names alone, each once, with the flags on top', () => {
  const specs = recordedSpecs(['build-1', '127.0.0.1', 'build-1'], state, {
    ssh: { user: 'ops' },
    containers: 'may-stop',
  });
  expect(specs.map(({ name }) => name)).toEqual(['build-1', '127.0.0.1']);
  expect(specs[0]).toEqual(specFor('build-1', state, { ssh: { user: 'ops' }, containers: 'may-stop' }));
  expect(() => recordedSpecs(['10.0.0.1'], state, NONE)).toThrow(
    expect.objectContaining({ code: 'E_HOST_UNKNOWN', exit: 2 }),
  );
});

const WHOLE = `ssh-ed25519 ${'A'.repeat(68)}`;
const KEY = { type: 'ssh-ed25519', base64: 'A'.repeat(68), fingerprint: 'SHA256:a' };
const ACCEPT: HostFlags = { ssh: { hostKey: 'accept-new' } };

test('the record gets the key that the host showed, however it was accepted, and never the policy of the run', () => {
  const spec = specFor('new', state, ACCEPT);
  expect(spec.ssh.hostKey).toBe('accept-new');
  expect(withSeenKey(spec, KEY).ssh.hostKey).toBe(WHOLE);
  // By known_hosts, by an answer, or by its fingerprint.
  for (const hostKey of [undefined, 'SHA256:a'])
    expect(withSeenKey(specFor('new', state, { ssh: { hostKey } }), KEY).ssh.hostKey).toBe(WHOLE);
  // A type that records do not name.
  expect(withSeenKey(spec, { ...KEY, type: 'ssh-dss' }).ssh.hostKey).toBe(KEY.fingerprint);
  expect(withSeenKey(spec, undefined).ssh.hostKey).toBeUndefined();
  expect(withSeenKey(spec, { ...KEY, certified: true }).ssh.hostKey).toBeUndefined();
  expect(withSeenKey(specFor('new', state, { ssh: { hostKey: 'SHA256:a' } }), undefined).ssh.hostKey).toBe('SHA256:a');
  expect(withSeenKey(specFor('new', state, { ssh: { hostKey: 'strict' } }), KEY).ssh.hostKey).toBe('strict');
});

test('strict holds for the run: the key that was recorded stays in the record', () => {
  const pinned = stateOf({ ssh: { ...RECORD.ssh, hostKey: WHOLE } });
  const spec = specFor('build-1', pinned, { ssh: { hostKey: 'strict' } });
  expect(spec.ssh.hostKey).toBe('strict');
  expect(withSeenKey(spec, { ...KEY, fingerprint: 'SHA256:b' }, { ...RECORD.ssh, hostKey: WHOLE }).ssh.hostKey).toBe(
    WHOLE,
  );
  // The key of the place where a host was before.
  expect(withSeenKey(spec, KEY, { destination: '10.0.0.9', hostKey: WHOLE }).ssh.hostKey).toBe('strict');
});

test('another key than the recorded one is a note with both and the operator; its fingerprint alone is no other key', () => {
  const other = `ssh-ed25519 ${'B'.repeat(68)}`;
  const [fingerprint = '', next = ''] = hostKeyNotes(WHOLE, other, 'x')[0]?.match(/SHA256:[A-Za-z0-9+/]{43}/g) ?? [];
  expect(new Set([fingerprint, next]).size).toBe(2);
  expect(hostKeyNotes(WHOLE, other, 'ada@laptop')).toEqual([
    expect.toSay('ssh-host-key-accepted', 'ssh-ed25519', fingerprint, next, 'ada@laptop'),
  ]);
  expect(hostKeyNotes(WHOLE, 'strict', 'x')).toEqual([expect.toSay('ssh-host-key-none', 'ssh-ed25519', fingerprint)]);
  for (const [before, after] of [
    [WHOLE, WHOLE],
    [fingerprint, WHOLE],
    [undefined, WHOLE],
    ['strict', WHOLE],
    [WHOLE, undefined],
  ])
    expect(hostKeyNotes(before, after, 'x')).toEqual([]);
});

test('accept-new takes no other key of a host whose key is recorded, from a flag or a file; a host that has moved has none', () => {
  const pinned = stateOf({ ssh: { ...RECORD.ssh, hostKey: WHOLE } });
  expect(specFor('build-1', pinned, ACCEPT).ssh.hostKey).toBe(WHOLE);
  expect(recordedSpecs(['build-1'], pinned, ACCEPT)[0]?.ssh).toMatchObject({ hostKey: WHOLE, acceptNewJumps: true });
  expect(recordedSpecs(['build-1'], pinned, NONE)[0]?.ssh.acceptNewJumps).toBeUndefined();
  expect(specFor('build-1', pinned, { ssh: { hostKey: 'SHA256:b' } }).ssh.hostKey).toBe('SHA256:b');
  const inFile = completeHost({ name: 'build-1', ssh: { destination: '10.0.0.1', hostKey: 'accept-new' } });
  expect(withRecordedKey(inFile, pinned).ssh.hostKey).toBe(WHOLE);
  expect(withRecordedKey(inFile, state).ssh.hostKey).toBe('accept-new');
  // On a computer that has not written the record, only the file names an ssh configuration.
  const configured = { ...inFile, ssh: { ...inFile.ssh, configFile: '/etc/ssh/x' } };
  expect(withRecordedKey(configured, pinned).ssh.hostKey).toBe(WHOLE);
  const unnamed = { ...inFile, ssh: { ...inFile.ssh, hostKey: undefined } };
  expect(withRecordedKey(unnamed, pinned).ssh.hostKey).toBe(WHOLE);
  for (const hostKey of ['strict', 'SHA256:b'])
    expect(withRecordedKey({ ...inFile, ssh: { ...inFile.ssh, hostKey } }, pinned).ssh.hostKey).toBe(hostKey);
  expect(withRecordedKey({ ...inFile, ssh: { ...inFile.ssh, destination: '10.0.0.2' } }, pinned).ssh.hostKey).toBe(
    'accept-new',
  );
  const moved = specFor('10.0.0.2', pinned, { ...ACCEPT, name: 'build-1', address: '10.0.0.2' });
  expect(moved.ssh.hostKey).toBe('accept-new');
});
