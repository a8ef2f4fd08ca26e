/** Candidates for a shell's TAB: commands, and names in the store. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { namesAt } from '../../../../src/core/adapters/store/look.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { storedNames } from '../../../../src/features/completion/actions/stored-names.ts';
import { complete } from '../../../../src/features/completion/cli/candidates.ts';
import { newHome, removeHomes, sampleClient, sampleHost } from '../../../support/store.ts';

let home: string;

function client(name: string, which: number, record: object = {}) {
  const sample = sampleClient(name, which);
  return { ...sample, record: { ...sample.record, hosts: undefined, copies: undefined, ...record } };
}

beforeEach(async () => {
  home = newHome();
  const store = openStore(home);
  const guest = client('guest', 4, { reaches: [{ name: 'far', address: 'far.example', port: 2376 }] });
  await store.withLock('test', () =>
    store.write({
      hosts: { 'build-1': sampleHost('build-1', 0), web: sampleHost('web', 1) },
      clients: { laptop: client('laptop', 0), guest },
    }),
  );
});
afterAll(removeHomes);

const around = (env = {}) => ({
  now: () => new Date(),
  env,
  cwd: '/',
  operator: 'a@b',
  signal: new AbortController().signal,
});

test('after help: commands and groups, and the second word of a command', async () => {
  const offered = (...words: string[]) => complete(words, around());
  expect(await offered('help', 'cl')).toMatch(/^client\t?.*\nclients\t.+\n:4\n$/);
  expect(await offered('help', 'client', 'add')).toMatch(/^add\t.+\n:4\n$/);
  expect(await offered('help', 'mo')).toMatch(/^more\t/);
});

test('names in the store', async () => {
  expect(await complete(['env', ''], around({ DOCKER_TLS_HOME: home }))).toBe('far\nbuild-1\nweb\n:4\n');
  expect(await complete(['env', '--home', home, '--client', 'l'], around())).toBe('laptop\n:4\n');
});

test('they are those of the whole reading', async () => {
  const at = (kind: 'host' | 'client') => storedNames(kind, { home, runtime: around() });
  const known = [await at('host'), await at('client')];
  expect(known).toEqual([namesAt(home, 'host'), namesAt(home, 'client')]);
  // A desktop's leftover file makes no difference; an unfinished change does: the store is then read completely.
  mkdirSync(join(home, '.change'), { mode: 0o700 });
  writeFileSync(join(home, '.change', 'plan.json'), JSON.stringify({ entries: [], directories: [] }), { mode: 0o600 });
  expect(namesAt(home, 'host')).toBeUndefined();
  expect([await at('host'), await at('client')]).toEqual(known);
});
