/** Parts of commands that no host answers: words for a CA, hosts that failed, docker contexts. */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Prompts } from '../../src/core/actions/ask.ts';
import { passphraseSource } from '../../src/core/actions/ca-passphrase.ts';
import { contextsOf, takeContextsAway } from '../../src/core/actions/contexts-of-host.ts';
import { giveContexts } from '../../src/core/actions/requested-contexts.ts';
import { currentContext } from '../../src/core/adapters/docker/config-file.ts';
import { readContext, writeContext } from '../../src/core/adapters/docker/contexts.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import { completeHost } from '../../src/core/domain/settings.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import { DockerTlsError } from '../../src/errors/errors.ts';
import { runCli } from '../support/cli.ts';
import { FACTS_TIME_MS } from '../support/host-facts.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';

let home: string;
let directory: string;

beforeEach(() => {
  home = newHome();
  directory = dirname(home);
});
afterAll(removeHomes);

const store = () => openStore(home).read();

test('the words for a new CA that are to be asked for are asked for twice, those of one that is there once', async () => {
  const requested: { confirm?: boolean }[] = [];
  const prompts = {
    show: async () => {},
    password: async (question: { confirm?: boolean }) => {
      requested.push(question);
      return new Secret('correct horse');
    },
  } as unknown as Prompts;
  const source = passphraseSource({ noCaPassphrase: false } as never, { env: {} } as Runtime, prompts, 'prompt');
  await source.forNewCa();
  await source.forExistingCa(async () => true);
  expect(requested.map(({ confirm }) => confirm === true)).toEqual([true, false]);
});

test('rotate --dry-run --json has every host, those that failed too', async () => {
  await issueStore(home, { hosts: { b1: { address: '10.0.0.1' } }, clients: { ops: undefined } });
  const { exit, json } = await runCli(['rotate', 'server', '--all', '--dry-run', '--json', '--home', home], {
    cwd: directory,
    connect: () => Promise.reject(new DockerTlsError('E_SSH_REFUSED', 'no answer')),
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker') },
  });
  expect(exit).toBe(4);
  expect(json.result.hosts).toMatchObject([{ host: 'b1', result: 'failed', errors: [{ code: 'E_SSH_REFUSED' }] }]);
});

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
  const around = { store: openStore(home), dockerConfig, now: () => new Date(FACTS_TIME_MS) };
  const errors = await giveContexts(specs, clients, around);
  expect(errors).toMatchObject([{ code: 'E_NO_CLIENTS', where: 'b2' }]);
  expect(await readContext({ name: 'lab', dockerConfig })).toMatchObject({
    host: 'tcp://10.0.0.1:2376',
    current: true,
  });
  expect(await readContext({ name: 'other', dockerConfig })).toBeUndefined();
});

test('contexts that lead to a host go with it, and no others', async () => {
  await issueStore(home, {
    now: new Date(FACTS_TIME_MS),
    hosts: { b1: { address: '10.0.0.1' }, b2: { address: '10.0.0.2' }, twin: { address: '10.0.0.2' } },
    clients: { ops: undefined },
  });
  const dockerConfig = join(directory, 'docker');
  const clients = [...(await store()).clients.values()];
  const around = { store: openStore(home), dockerConfig, now: () => new Date(FACTS_TIME_MS) };
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
