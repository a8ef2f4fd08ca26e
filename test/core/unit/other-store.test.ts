/** Owner of a host: no store, ours, or another store. */

import { expect, test } from 'vitest';
import type { StoreState } from '../../../src/core/adapters/store/records.ts';
import { issueCa, issueServer } from '../../../src/core/domain/pki/certificate.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';
import { parseFacts } from '../../../src/core/domain/plan/facts.ts';
import { managedExternally, otherName, otherStore } from '../../../src/core/domain/plan/other-store.ts';
import { printFacts } from '../../support/sections.ts';

const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
const now = new Date('2026-03-01T00:00:00Z');
const ca = await issueCa({ name: 'test', days: 30, keyType: 'p256', now });
const issue = async () =>
  (await issueServer({ ca, sans: ['10.0.0.5', '127.0.0.1'].map(parseSan), days: 9, keyType: 'p256', now })).cert;
const [SERVER, OLD] = [await issue(), await issue()];
const STATE = {
  schema: 1,
  name: 'h1',
  generation: 2,
  generations: [
    { number: 1, at: '2026-01-01T00:00:00Z', by: 'bob@desk', reason: 'setup' },
    { number: 2, at: '2026-02-01T00:00:00Z', by: 'eve@\u001b[31mlaptop', reason: 'apply' },
  ],
  managed: [],
};

function factsOf(credentials: { ca?: string; state?: boolean; transaction?: boolean }) {
  return parseFacts(
    printFacts({
      ...(credentials.ca === undefined
        ? {}
        : {
            'file:/etc/docker/tls/current/ca.pem': `file 444 0:0\n${credentials.ca}`,
            'file:/etc/docker/tls/current/server-cert.pem': `file 444 0:0\n${SERVER}`,
          }),
      ...(credentials.transaction ? { transaction: 'abc' } : {}),
      ...(credentials.state ? { 'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(STATE)}` } : {}),
    }),
  );
}

test.each(['', '--output=x', 'HEAD', 'a'.repeat(101)])('a host cannot name %s as a revision', (hash) => {
  const state = { ...STATE, store: { id: 'a', number: 9, hash } };
  const text = `file 600 0:0\n${JSON.stringify(state)}`;
  expect(() => parseFacts(printFacts({ 'file:/var/lib/docker-tls/state.json': text }))).toThrow(
    expect.objectContaining({ code: 'E_HOST_STATE' }),
  );
});

function stateOf(more: Partial<StoreState> = {}): StoreState {
  return { hosts: new Map(), clients: new Map(), issuers: new Map(), oldCas: [], ...more };
}

const theirs = factsOf({ ca: pem('THEIRS') + pem('MORE'), state: true });
const hosts = (ca: string) => new Map([['h1', { ca }]]) as unknown as StoreState['hosts'];

test.each<[string, ReturnType<typeof factsOf>, StoreState]>([
  ['a fresh host', factsOf({}), stateOf()],
  ['a first change that is not confirmed', factsOf({ ca: pem('THEIRS'), transaction: true }), stateOf()],
  ['our CA', theirs, stateOf({ ca: { cert: pem('THEIRS') } as StoreState['ca'] })],
  ['a CA that we had', theirs, stateOf({ oldCas: [{ serial: '1', cert: pem('MORE') }] })],
  ['one of our clients alone', theirs, stateOf({ issuers: new Map([['ada', { cert: pem('MORE') }]]) })],
  ['what the host had when it was last changed from here', theirs, stateOf({ hosts: hosts(pem('THEIRS')) })],
  ['our host, whose credentials were lost', factsOf({ state: true }), stateOf({ hosts: hosts(pem('OURS')) })],
])("ours or no store's: %s", (_, facts, state) => {
  expect(otherStore(facts, 'h1', state)).toBeUndefined();
});

test.each<[string, ReturnType<typeof factsOf>, StoreState]>([
  ['a host that we do not know', theirs, stateOf({ ca: { cert: pem('OURS') } as StoreState['ca'] })],
  ['a host that changed hands since', theirs, stateOf({ hosts: hosts(pem('OURS')) })],
  ['one without credentials', factsOf({ state: true }), stateOf()],
])("another store's: %s", (_, facts, state) => {
  expect(otherStore(facts, 'h1', state)).toSay('set-another-store-last', 'eve@', 'laptop', '2026-02-01');
  expect(otherStore(facts, 'h1', state)).not.toContain('\u001b');
});

test('credentials without records are told as well, and the error says how to go on', () => {
  const words = otherStore(factsOf({ ca: pem('THEIRS') }), 'h1', stateOf());
  expect(words).toSay('host-set-another-store');
  expect(managedExternally('h1', words as string)).toMatchObject({ code: 'E_HOST_MANAGED', exit: 4, where: 'h1' });
});

const ours = stateOf({ ca: { cert: pem('THEIRS') } as StoreState['ca'] });
const at = (...addresses: string[]) => addresses.map((address) => ({ interface: 'eth0', address }));
const named = (name: string) => ({ name, ssh: { destination: '10.0.0.9', user: 'root' } });
const known = (cert: string) => new Map([['a', cert]]);

test('a host of the store is refused under another name, and every way out is a command', () => {
  const facts = { ...theirs, addresses: at('10.0.0.5') };
  const error = otherName(facts, named('alias'), ours, '10.0.0.9', { known: known(SERVER), takeOver: true });
  expect(error).toMatchObject({
    code: 'E_HOST_TWO_NAMES',
    exit: 4,
    where: 'alias',
    message: expect.toSay('already-store'),
    hints: [
      expect.toSay('use-name', 'docker-tls setup a'),
      'or rename it: docker-tls rename a alias',
      expect.toSay('moved', 'docker-tls setup root@10.0.0.9 --name a --address 10.0.0.9'),
    ],
  });
  const both = known(SERVER).set('alias', OLD);
  expect(otherName(facts, named('alias'), ours, '10.0.0.9', { known: both })?.hints).toEqual([
    expect.toSay('drop-two-records', 'docker-tls forget alias'),
    'then: docker-tls apply a',
  ]);
});

test('by its own record where the certificate is not the one in the store', () => {
  const facts = (name: string) => ({ ...theirs, state: { ...STATE, schema: 1 as const, name } });
  expect(otherName(facts('a'), named('alias'), ours, '10.0.0.9', { known: known(OLD) })?.code).toBe('E_HOST_TWO_NAMES');
  expect(otherName(facts('b'), named('alias'), ours, '10.0.0.9', { known: known(OLD) })).toBeUndefined();
  // Renamed in this store since: its record has the previous name.
  const swapped = known(OLD).set('alias', SERVER);
  expect(otherName(facts('a'), named('alias'), ours, '10.0.0.9', { known: swapped })).toBeUndefined();
});

test('a copy, or a host that has moved, is let through only when it is said which of the two it is', () => {
  const facts = { ...theirs, addresses: at('10.0.0.6', '127.0.0.1') };
  const around = { known: known(SERVER) };
  expect(otherName(facts, named('copy'), ours, '10.0.0.9', around)?.hints.slice(3)).toEqual([
    expect.toSay('copy-cloned-disk-run', '--take-over'),
  ]);
  expect(otherName(facts, named('copy'), ours, '10.0.0.9', { ...around, takeOver: true })).toBeUndefined();
});

test("nothing is said of a fresh host, of the host itself, and of another store's", () => {
  const around = { known: known(SERVER) };
  expect(otherName(factsOf({}), named('fresh'), ours, '10.0.0.9', around)).toBeUndefined();
  expect(otherName(theirs, named('a'), ours, '10.0.0.9', around)).toBeUndefined();
  expect(otherName(theirs, named('alias'), stateOf(), '10.0.0.9', around)).toBeUndefined();
});
