/** Default client of this machine: the one that its setup made, whatever was added to the store since. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { likelyOwn, makeOwn } from '../../../src/core/actions/own-client.ts';
import { openStore } from '../../../src/core/adapters/store/store.ts';
import { verifierOf } from '../../../src/core/domain/trust/clients.ts';
import { clientToName, probeClientAt } from '../../../src/core/domain/trust/reachable-hosts.ts';
import { anyClient, resolveClient, resolveHost } from '../../../src/core/domain/trust/resolve.ts';
import { ownClientName } from '../../../src/core/user.ts';
import { issueStore } from '../../support/issued-store.ts';
import { picture } from '../../support/store.ts';

const home = mkdtempSync(join(tmpdir(), 'docker-tls-own-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const again = () => '';
const store = openStore(home);
async function verifier(name: string, named: boolean): Promise<string> {
  const state = await store.read();
  return verifierOf(state, { name, keyType: 'p256', days: 30 }, { named, without: [], now: new Date() }).name;
}

async function chosen(): Promise<string> {
  const state = await store.read();
  return resolveClient(state, resolveHost(state, 'h1', again), undefined, again).record.name;
}

/** The client that verifies a host, if any client may. */
async function proving(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const state = await store.read();
  return anyClient(state, resolveHost(state, 'h1', again), { client: undefined }, { env }, again).record.name;
}

test('a client of other hosts does not connect, own or not', async () => {
  const place = mkdtempSync(join(home, 'other-'));
  await issueStore(place, { hosts: { h1: {}, h2: {} }, clients: { ci: ['h2'], laptop: undefined, spare: undefined } });
  const at = async (name: string) => {
    const state = await openStore(place).read();
    return probeClientAt(state.clients.values(), resolveHost(state, name, again))?.record.name;
  };
  await makeOwn(openStore(place), 'ci');
  expect([await at('h1'), await at('h2')]).toEqual(['laptop', 'ci']);
});

test('of several clients the own one is meant, until another is asked for', async () => {
  await issueStore(home, { hosts: { h1: {} }, clients: { ci: undefined, laptop: undefined } });
  await expect(chosen()).rejects.toMatchObject({ code: 'E_CLIENT_AMBIGUOUS' });
  expect(await proving()).toBe('ci');
  await makeOwn(store, 'laptop');
  expect([await chosen(), await proving()]).toEqual(['laptop', 'laptop']);
  // `ci` is first in the alphabet, and may even have the name of the login user.
  expect(await verifier('root', false)).toBe('laptop');
  expect(await verifier('ci', false)).toBe('laptop');
  expect(await verifier('ci', true)).toBe('ci');
  const before = picture(home);
  await makeOwn(store, 'laptop');
  expect(picture(home)).toEqual(before);
  await makeOwn(store, 'ci');
  expect(await chosen()).toBe('ci');
  expect([...(await store.read()).clients.values()].filter(({ record }) => record.own)).toHaveLength(1);
});

test('of several clients the hints offer first what is likely the own one, and so does what leads on', async () => {
  const place = mkdtempSync(join(home, 'mine-'));
  const login = ownClientName();
  await issueStore(place, { hosts: { h1: {} }, clients: { aaa: undefined, bbb: undefined, [login]: undefined } });
  const state = await openStore(place).read();
  const named: string[] = [];
  const noting = ({ client = '' }: { client?: string }) => String(named.push(client));
  const choose = (isMine?: ReturnType<typeof likelyOwn>) => {
    named.splice(0);
    expect(() => resolveClient(state, resolveHost(state, 'h1', noting), undefined, noting, isMine)).toThrow();
    return named;
  };
  expect(choose(likelyOwn({ shared: false }))[0]).toBe(login);
  expect(clientToName(state, 'h1', likelyOwn({ shared: false }))).toBe(login);
  // In a shared store the clients with files on this computer are those of its user: here all have theirs.
  const here = [...state.clients.values()].map((client) => ({ ...client, directory: `${client.directory}-elsewhere` }));
  expect([...state.clients.values()].filter(likelyOwn({ shared: true }))).toHaveLength(3);
  expect(here.filter(likelyOwn({ shared: true })).map(({ record }) => record.name)).toEqual([login]);
});
