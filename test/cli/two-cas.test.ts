/** A store with two CAs, of which hosts know one or both: what commands issue then, and what they show. No host answers. */

import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { isFrom, verifyChain } from '../../src/core/domain/pki/inspect.ts';
import { breaksClients } from '../../src/core/domain/trust/server.ts';
import { offeredCommands } from '../../src/core/seams/offered-commands.ts';
import { runUnreached } from '../support/cli.ts';
import { type IssuedOptions, issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';
import * as told from '../support/told-hosts.ts';
import { issueServer, replaceCa, wantedServer } from '../support/two-cas.ts';

let home: string;

beforeEach(() => {
  home = newHome();
});
afterAll(removeHomes);

const run = (...argv: string[]) => runUnreached({ home, directory: dirname(home) }, argv, () => {});
const state = () => openStore(home).read();
const two: IssuedOptions = { hosts: { 'build-1': {}, 'build-2': {} } };
const write = (change: Parameters<typeof told.write>[1]) => told.write(home, change);
const tell = (...names: string[]) => told.tell(home, ...names);
const isTrusted = (name: string) => told.trustingHosts(home, name);

test('status shows both, and which of them a host accepts', async () => {
  await issueStore(home, { ...two, clients: { laptop: undefined } });
  await replaceCa(home);
  await tell('build-1');
  const { json } = await run('status', 'build-1', 'build-2', '--offline');
  const rows: { kind: string; accepts?: { cas: { role: string }[] } }[] = json.result.rows;
  expect(rows.map(({ kind }) => kind)).toEqual(['ca', 'old ca', 'host', 'host', 'client']);
  expect(rows.flatMap(({ accepts }) => (accepts ? [accepts.cas.map(({ role }) => role)] : []))).toEqual([
    ['ca', 'old-ca'],
    ['old-ca'],
  ]);
});

describe('a client that is renewed', () => {
  const listed = { ...two, clients: { laptop: undefined, ci: ['build-2'] } };

  test('goes on getting in where only the old CA is known, and gets credentials of the new one once all hosts accept it', async () => {
    await issueStore(home, listed);
    await replaceCa(home);
    await tell('build-1');
    const ca = (await state()).ca?.cert ?? '';
    for (const name of ['laptop', 'ci']) {
      const before = [(await state()).clients.get(name)?.cert, await isTrusted(name)];
      expect((await run('rotate', 'client', name, '--yes')).exit).toBe(0);
      expect((await state()).clients.get(name)?.cert).not.toBe(before[0]);
      expect(await isTrusted(name)).toEqual(before[1]);
    }
    await tell('build-2');
    await run('rotate', 'client', '--all', '--yes');
    for (const client of (await state()).clients.values())
      expect(isFrom(client.cert, ca, 'client', new Date())).toBe(true);
    expect(await isTrusted('laptop')).toEqual(['build-1', 'build-2']);
  });

  test('is refused where nothing can issue credentials that all its hosts accept', async () => {
    await issueStore(home, listed);
    await replaceCa(home);
    await write(({ issuers }) => ({
      issuers: Object.fromEntries([...issuers].map(([name, { oldKeyPem: _, ...issuer }]) => [name, issuer])),
    }));
    const before = await state();
    const { exit, json } = await run('rotate', 'client', 'laptop', '--yes');
    expect([exit, json.error?.code, json.error?.hints]).toEqual([
      3,
      'E_CA_NOT_ACCEPTED',
      [...offeredCommands('new CA'), 'docker-tls apply build-1 build-2'].slice(0, 1),
    ]);
    expect(await state()).toEqual(before);
  });
});

describe('a host that gets a new certificate', () => {
  test('no other command gives a host such credentials by the way', async () => {
    await issueStore(home, { ...two, clients: { laptop: undefined } });
    await write(({ ca }) => ({ ca: { cert: ca?.cert ?? '', record: ca?.record as never } }));
    await replaceCa(home);
    await tell('build-1', 'build-2');
    const now = await state();
    const wanted = (noOverlap: boolean) => wantedServer(now, noOverlap);
    expect(() => wanted(false)).toThrow(expect.objectContaining({ code: 'E_BREAKS_CLIENTS', where: 'build-1' }));
    const { cert } = await issueServer(now, wanted(true));
    expect(isFrom(cert, now.ca?.cert ?? '', 'server', new Date())).toBe(true);
  });

  test('with the key the host shows a certificate that both know, and nothing waits', async () => {
    await issueStore(home, { ...two, clients: { laptop: undefined } });
    const old = (await state()).ca?.cert ?? '';
    await replaceCa(home);
    const now = await state();
    const { cert, key } = await issueServer(now, wantedServer(now, false));
    // Its own certificate comes first: dockerd starts with no other order.
    expect(() => createSecureContext({ cert, key: key?.reveal() })).not.toThrow();
    expect(breaksClients(now.hosts.get('build-1')?.serverCert ?? '', now.oldCas, new Date())).toBe(false);
    expect(verifyChain({ leaf: cert, anchors: [old], purpose: 'server', now: new Date() }).ok).toBe(true);
  });
});
