/** Docker contexts of changed hosts and of hosts that go. */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { currentContext } from '../../../../src/core/adapters/docker/config-file.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { completeHost } from '../../../../src/core/domain/settings.ts';
import type { Runtime } from '../../../../src/core/runtime.ts';
import { contextsOf, takeContextsAway } from '../../../../src/features/contexts/actions/contexts-of-host.ts';
import { checkContexts, giveContexts } from '../../../../src/features/contexts/actions/requested-contexts.ts';
import { readContext, writeContext } from '../../../../src/features/contexts/adapters/contexts.ts';
import { FACTS_TIME_MS } from '../../../support/host-facts.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes, sampleClient } from '../../../support/store.ts';

let home: string;
let directory: string;

beforeEach(() => {
  home = newHome();
  directory = dirname(home);
});
afterAll(removeHomes);

const store = () => openStore(home).read();

test('apply makes the contexts of its hosts, where they are done', async () => {
  await issueStore(home, {
    now: new Date(FACTS_TIME_MS),
    hosts: { b1: { address: '10.0.0.1' }, b2: { address: '10.0.0.2' } },
    clients: { ops: undefined, ann: ['b2'] },
  });
  const dockerConfig = join(directory, 'docker');
  const specs = [
    completeHost({ name: 'b1', ssh: { destination: '10.0.0.1' }, context: 'lab', use: true }),
    completeHost({ name: 'b2', ssh: { destination: '10.0.0.2' }, clients: ['ann'] }),
    completeHost({ name: 'b2', ssh: { destination: '10.0.0.2' }, clients: ['nobody'], context: 'other' }),
  ];
  const clients = [...(await store()).clients.values()];
  const now = () => new Date(FACTS_TIME_MS);
  const runtime = { env: { DOCKER_CONFIG: dockerConfig }, cwd: directory, now } as unknown as Runtime;
  const around = { store: openStore(home), runtime, now };
  const errors = await giveContexts(specs, clients, around);
  expect(errors).toMatchObject([{ code: 'E_NO_CLIENTS', where: 'b2' }]);
  expect(await readContext({ name: 'lab', dockerConfig })).toMatchObject({
    host: 'tcp://10.0.0.1:2376',
    current: true,
  });
  expect(await readContext({ name: 'other', dockerConfig })).toBeUndefined();
});

test('a context in the way stops setup, and apply only where it has a client whose key is here', async () => {
  const dockerConfig = join(directory, 'docker');
  await writeContext({ name: 'odd', dockerConfig, host: 'tcp://10.0.0.1:2376', ca: '', cert: '', key: new Secret('') });
  const meta = join(dockerConfig, 'contexts/meta', createHash('sha256').update('odd').digest('hex'), 'meta.json');
  writeFileSync(meta, '{"Name":"odd","Metadata":{},"Endpoints":{}}');
  const spec = completeHost({ name: 'b1', ssh: { destination: '10.0.0.1' }, context: 'odd' });
  const { key, ...elsewhere } = sampleClient('ops', 1);
  const runtime = { env: { DOCKER_CONFIG: dockerConfig }, cwd: directory } as unknown as Runtime;
  const check = async (command: 'setup' | 'apply', clients: Parameters<typeof checkContexts>[1]) =>
    checkContexts([spec], clients, await store(), { runtime, command });
  const refused = { errors: [{ code: 'E_CONTEXT_EXISTS' }] };
  await expect(check('setup', [elsewhere])).rejects.toMatchObject(refused);
  await expect(check('apply', [{ ...elsewhere, key }])).rejects.toMatchObject(refused);
  await check('apply', [elsewhere]);
});

test('contexts that lead to a host go with it, and no others', async () => {
  await issueStore(home, {
    now: new Date(FACTS_TIME_MS),
    hosts: { b1: { address: '10.0.0.1' }, b2: { address: '10.0.0.2' }, twin: { address: '10.0.0.2' } },
    clients: { ops: undefined },
  });
  const dockerConfig = join(directory, 'docker');
  const clients = [...(await store()).clients.values()];
  const now = () => new Date(FACTS_TIME_MS);
  const runtime = { env: { DOCKER_CONFIG: dockerConfig }, cwd: directory, now } as unknown as Runtime;
  const around = { store: openStore(home), runtime, now };
  const specs = ['b1', 'b2'].map((name, index) =>
    completeHost({
      name,
      ssh: { destination: `10.0.0.${index + 1}` },
      context: `to-${name}`,
      ...(name === 'b1' ? { use: true } : {}),
    }),
  );
  expect(await giveContexts(specs, clients, around)).toEqual([]);
  // Another host of the store has the same address, so the context's host is unknown.
  expect(await contextsOf('b2', await store())).toEqual([]);
  const places = await contextsOf('b1', await store());
  expect(places.map(({ name }) => name)).toEqual(['to-b1']);
  // The context belongs to another program by now: it stays, and is an error among the removed ones.
  await writeContext({ name: 'odd', dockerConfig, host: 'tcp://10.0.0.1:2376', ca: '', cert: '', key: new Secret('') });
  const meta = join(dockerConfig, 'contexts/meta', createHash('sha256').update('odd').digest('hex'), 'meta.json');
  writeFileSync(meta, '{"Name":"odd","Metadata":{},"Endpoints":{}}');
  const away = await around.store.withLock('test', () =>
    takeContextsAway([{ name: 'odd', dockerConfig }, ...places], around),
  );
  expect(away).toMatchObject({ gone: ['to-b1'], errors: [{ code: 'E_CONTEXT_EXISTS' }] });
  expect(await readContext({ name: 'to-b1', dockerConfig })).toBeUndefined();
  expect(await currentContext(dockerConfig)).toBeUndefined();
  expect(await readContext({ name: 'to-b2', dockerConfig })).toBeDefined();
  expect((await store()).clients.get('ops')?.record.copies).toMatchObject([{ contexts: ['to-b2'] }]);
  expect(await contextsOf('b1', await store())).toEqual([]);
});
