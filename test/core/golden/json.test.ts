/** One golden --json document of each command of the core. UPDATE_GOLDEN=1 writes them. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { openStore } from '../../../src/core/adapters/store/store.ts';
import type { Probe } from '../../../src/core/runtime.ts';
import { COMMAND_SEAM } from '../../../src/core/seams/feature-commands.ts';
import type { CliRun, CliSetting } from '../../support/cli.ts';
import { type DocumentPlace, documentPlace, expectGolden } from '../../support/golden-documents.ts';
import { removeHomes } from '../../support/store.ts';

afterAll(removeHomes);

const directory = new URL('json/', import.meta.url);

/** A host that accepts these clients, and serves the stored certificate. */
async function accepting({ home }: DocumentPlace, ...names: readonly string[]): Promise<CliSetting> {
  const { hosts, clients } = await openStore(home).read();
  const chain = hosts.get('h1')?.serverCert ?? '';
  const certs = names.map((name) => clients.get(name)?.cert);
  const probe: Probe = async ({ credentials, maxVersion }) =>
    credentials !== undefined && certs.includes(credentials.cert) && maxVersion === undefined
      ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain, elapsedMs: 1 }
      : { kind: 'refused', cause: 'client-refused', reason: 'why', chain, elapsedMs: 1 };
  return { probe };
}

type Run = (place: DocumentPlace) => Promise<CliRun>;

const call =
  (...argv: string[]): Run =>
  async (place) =>
    place.run(argv, await accepting(place, 'laptop', 'eve'));

/** On a host that rejects eve. */
const withoutEve =
  (...argv: string[]): Run =>
  async (place) =>
    place.run(argv, await accepting(place, 'laptop'));

const RUNS: Readonly<Record<string, Run>> = {
  setup: call('setup', 'h1', '--yes'),
  plan: call('plan'),
  apply: call('apply', 'h1', '--yes'),
  verify: call('verify'),
  status: call('status'),
  'rotate server': call('rotate', 'server', 'h1', '--dry-run'),
  'rotate client': call('rotate', 'client', 'laptop'),
  'client add': call('client', 'add', 'ci'),
  'client revoke': withoutEve('client', 'revoke', 'eve', '--yes'),
  'client list': call('client', 'list'),
  'client use': call('client', 'use', 'laptop'),
  'ca create': async (place) => {
    const home = join(place.directory, 'new');
    return place.run(['ca', 'create', '--no-ca-passphrase', '--ca-name', 'acme', '--home', home]);
  },
  'ca show': call('ca', 'show'),
  'ca export': call('ca', 'export'),
  'ca passphrase': call('ca', 'passphrase', '--no-ca-passphrase', '--yes'),
  rollback: call('rollback', 'h1', '--yes'),
  remove: call('remove', 'h1', '--dry-run'),
  forget: call('forget', 'h1', '--yes'),
  rename: call('rename', 'h1', 'h2'),
  env: call('env', 'h1', '--client', 'laptop', '--format', 'sh'),
  version: call('version'),
};

test.each(Object.entries(RUNS))('%s', async (name, run) => {
  const place = await documentPlace();
  const made = await run(place);
  expect(made.json.command).toBe(name);
  expectGolden(directory, made, {
    [process.execPath]: 'NODE',
    [process.argv[1] ?? '']: 'PROGRAM',
  });
});

const fileNames = (names: readonly string[]) => names.map((name) => `${name.replaceAll(' ', '-')}.json`).toSorted();

test('every command has a golden document, and no other has', () => {
  const ofFeatures = new Set(COMMAND_SEAM.all.map(({ name }) => name));
  const names = COMMANDS.map(({ name }) => name).filter((name) => !ofFeatures.has(name));
  expect(Object.keys(RUNS)).toEqual(names);
  expect(readdirSync(directory).toSorted()).toEqual(fileNames(names));
  const features = new URL('../../features/', import.meta.url);
  const places = readdirSync(features).map((name) => new URL(`${name}/golden/json/`, features));
  const written = places.flatMap((place) => (existsSync(place) ? readdirSync(place) : []));
  expect(written.toSorted()).toEqual(fileNames([...ofFeatures]));
});
