/** Edits of a fleet file by `setup -f FILE`, on real files. */

import { chmodSync, lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { StoreState } from '../../../../src/core/adapters/store/records.ts';
import { openFleetFile } from '../../../../src/features/fleet/actions/fleet-file.ts';
import { parseFleet } from '../../../../src/features/fleet/domain/fleet.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

const NO_STORE = { hosts: new Map(), clients: new Map(), issuers: new Map(), oldCas: [] } as unknown as StoreState;

const NOTHING = { secrets: {}, client: undefined };

async function fleetFile(text?: string) {
  const cwd = mkdtempSync(join(tmpdir(), 'docker-tls-fleet-'));
  directories.push(cwd);
  const path = join(cwd, 'fleet.yaml');
  if (text !== undefined) writeFileSync(path, text);
  const file = await openFleetFile(path, { cwd, env: { HOME: '/home/ada' } });
  return { file, cwd, read: () => readFileSync(path, 'utf8') };
}

const FLEET = `version: 1
defaults: { ssh: { user: admin, identities: [keys/a, ~/.ssh/farm] }, days: 90 } # all
hosts:
  old: { ssh: root@old.example.org, port: 2377 }
`;

test('without a file the first host makes one', async () => {
  const { file, read } = await fleetFile();
  const spec = file.specFor('root@new.example.org', NO_STORE, { ssh: {}, port: 2377 });
  const write = await file.edit(spec, { secrets: { askSudoPassword: true }, client: undefined });
  expect(read).toThrow();
  await write?.();
  expect(read()).toContain(
    'hosts:\n  new.example.org:\n    ssh: root@new.example.org\n    port: 2377\n    sudo-password: prompt\n',
  );
});

test('a new host has the defaults of the file, whose paths stay as they are written', async () => {
  const { file, cwd, read } = await fleetFile(FLEET);
  const spec = file.specFor('new.example.org', NO_STORE, { ssh: {}, name: 'new' });
  expect(spec).toMatchObject({
    name: 'new',
    days: 90,
    ssh: { user: 'admin', identities: [join(cwd, 'keys/a'), '/home/ada/.ssh/farm'] },
  });
  await (await file.edit(spec, NOTHING))?.();
  expect(read()).toBe(`${FLEET}  new: new.example.org\n`);
});

test('a host of the file is what the file says, flags on top, and the file stays as it is', async () => {
  const { file } = await fleetFile(FLEET);
  const spec = file.specFor('old', NO_STORE, { ssh: { hostKey: 'accept-new' }, days: 30 });
  expect(spec).toMatchObject({
    name: 'old',
    port: 2377,
    days: 30,
    ssh: { user: 'root', destination: 'old.example.org', hostKey: 'accept-new' },
  });
  expect(await file.edit(spec, NOTHING)).toBeUndefined();
});

test('what the file cannot say is refused before the host is touched', async () => {
  const { file } = await fleetFile(FLEET);
  const spec = file.specFor('new', NO_STORE, { ssh: {} });
  await expect(file.edit({ ...spec, ssh: { destination: 'new' } }, NOTHING)).rejects.toThrow(
    expect.toSay('defaults-file-give-new'),
  );
  await expect(fleetFile('version: 2\n')).rejects.toThrow(expect.toSay('newer-docker-tls'));
});

test('where ssh goes says which host of the file is meant; another one under its name is refused', async () => {
  const { file } = await fleetFile(FLEET);
  const spec = file.specFor('ops@old.example.org', NO_STORE, { ssh: {} });
  expect(spec).toMatchObject({ name: 'old', port: 2377, ssh: { user: 'ops' } });
  expect(() => file.specFor('root@10.0.0.2', NO_STORE, { ssh: {}, name: 'old' })).toThrow(
    expect.objectContaining({ code: 'E_HOST_TAKEN' }),
  );
});

test('two setups at once: each host is in the file afterwards', async () => {
  const { file, read, cwd } = await fleetFile(FLEET);
  const other = await openFleetFile('fleet.yaml', { cwd, env: {} });
  const ada = { name: 'ada', keyType: 'p256', days: 397 } as const;
  const edits = await Promise.all([
    file.edit(file.specFor('one.example.org', NO_STORE, { ssh: {} }), { secrets: {}, client: ada }),
    other.edit(other.specFor('two.example.org', NO_STORE, { ssh: {} }), { secrets: {}, client: ada }),
  ]);
  for (const edit of edits) await edit?.();
  const { hosts, clients } = parseFleet(read(), 'fleet.yaml');
  expect(hosts.map(({ name }) => name)).toEqual(['old', 'one.example.org', 'two.example.org']);
  expect(clients.map(({ name }) => name)).toEqual(['ada']);
  expect(read().startsWith(FLEET)).toBe(true);
});

test('the file keeps its mode, and a link goes on leading to it', async () => {
  const { cwd } = await fleetFile(FLEET);
  const path = join(cwd, 'fleet.yaml');
  chmodSync(path, 0o600);
  const link = join(cwd, 'link.yaml');
  symlinkSync('fleet.yaml', link);
  const file = await openFleetFile(link, { cwd, env: {} });
  await (await file.edit(file.specFor('new.example.org', NO_STORE, { ssh: {} }), NOTHING))?.();
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, 'utf8')).toContain('new.example.org:');
});
