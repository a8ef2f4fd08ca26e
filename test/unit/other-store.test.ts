/** Whose host is it: nobody's, ours, or one that another store looks after. */

import { expect, test } from 'vitest';
import type { StoreState } from '../../src/adapters/store/records.ts';
import { parseSan } from '../../src/domain/pki/names.ts';
import { parseFacts } from '../../src/domain/plan/facts.ts';
import { managedExternally, otherName, otherStore } from '../../src/domain/plan/other-store.ts';
import { printFacts } from '../support/sections.ts';

const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
const STATE = {
  schema: 1,
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
            'file:/etc/docker/tls/current/server-cert.pem': `file 444 0:0\n${pem('SERVER')}`,
          }),
      ...(credentials.transaction ? { transaction: 'abc' } : {}),
      ...(credentials.state ? { 'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(STATE)}` } : {}),
    }),
  );
}

function stateOf(more: Partial<StoreState> = {}): StoreState {
  return { hosts: new Map(), clients: new Map(), issuers: new Map(), oldCas: [], ...more };
}

const theirs = factsOf({ ca: pem('THEIRS') + pem('MORE'), state: true });
const hosts = (ca: string) => new Map([['h1', { ca }]]) as unknown as StoreState['hosts'];

test.each<[string, ReturnType<typeof factsOf>, StoreState]>([
  ['a fresh host', factsOf({}), stateOf()],
  ['a first change that nobody has confirmed', factsOf({ ca: pem('THEIRS'), transaction: true }), stateOf()],
  ['our CA', theirs, stateOf({ ca: { cert: pem('THEIRS') } as StoreState['ca'] })],
  ['a CA that we had', theirs, stateOf({ oldCas: [{ serial: '1', cert: pem('MORE') }] })],
  ['one of our clients alone', theirs, stateOf({ issuers: new Map([['ada', { cert: pem('MORE') }]]) })],
  ['what the host had when it was last changed from here', theirs, stateOf({ hosts: hosts(pem('THEIRS')) })],
  ['our host, whose credentials were lost', factsOf({ state: true }), stateOf({ hosts: hosts(pem('OURS')) })],
])("ours or nobody's: %s", (_, facts, state) => {
  expect(otherStore(facts, 'h1', state)).toBeUndefined();
});

test.each<[string, ReturnType<typeof factsOf>, StoreState]>([
  ['a host that we do not know', theirs, stateOf({ ca: { cert: pem('OURS') } as StoreState['ca'] })],
  ['a host that changed hands since', theirs, stateOf({ hosts: hosts(pem('OURS')) })],
  ['one without credentials', factsOf({ state: true }), stateOf()],
])("another store's: %s", (_, facts, state) => {
  expect(otherStore(facts, 'h1', state)).toMatch(/set up from another store, last by eve@.*laptop on 2026-02-01/);
  expect(otherStore(facts, 'h1', state)).not.toContain('\u001b');
});

test('credentials without records are told as well, and the error says how to go on', () => {
  const words = otherStore(factsOf({ ca: pem('THEIRS') }), 'h1', stateOf());
  expect(words).toMatch(/^this host was set up from another store; the clients/);
  expect(managedExternally('h1', words as string)).toMatchObject({ code: 'E_HOST_MANAGED', exit: 4, where: 'h1' });
});

test('a host by two names is told, and neither a copy of it nor itself is', () => {
  const facts = { ...theirs, addresses: [{ interface: 'eth0', address: '10.0.0.5' }] };
  const owners = new Map([[pem('SERVER'), { name: 'a', sans: ['10.0.0.5', '127.0.0.1'].map(parseSan) }]]);
  const error = otherName(facts, 'alias', owners);
  expect(error).toMatchObject({ code: 'E_HOST_TWO_NAMES', exit: 4, where: 'alias' });
  expect(error?.message).toMatch(/^this is the host a, /);
  expect(otherName(facts, 'a', owners)).toBeUndefined();
  const copy = ['10.0.0.6', '127.0.0.1'].map((address) => ({ interface: 'eth0', address }));
  expect(otherName({ ...facts, addresses: copy }, 'copy', owners)).toBeUndefined();
  expect(otherName(factsOf({}), 'fresh', owners)).toBeUndefined();
  expect(
    otherName(facts, 'other', new Map([[pem('OLD'), { name: 'a', sans: [parseSan('10.0.0.5')] }]])),
  ).toBeUndefined();
});
