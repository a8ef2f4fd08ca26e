/** `ca passphrase`: every key of the store under another passphrase, or all of them under the one before. */

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { isEncrypted, tryPassphrase } from '../../src/core/domain/pki/keys.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import { type PassphraseSource, protectAnew, storedKeys } from '../../src/core/engine/key-protection.ts';
import { buildProgram, type Program, runCli } from '../support/cli.ts';
import { storeCa } from '../support/issued-store.ts';
import { newHome, picture, removeHomes } from '../support/store.ts';
import { replaceCa } from '../support/two-cas.ts';

const OLD = 'correct horse';
const NEW = 'battery staple';
let program: Program;
let home: string;
let directory: string;

const run = (...argv: string[]) => runIn({}, ...argv);
const runIn = (env: Record<string, string>, ...argv: string[]) =>
  runCli([...argv, '--home', home], { cwd: directory, env: { HOME: directory, ...env } });
const change = (...more: string[]) =>
  run('ca', 'passphrase', '--ca-passphrase-file', 'old', '--new-passphrase-file', 'new', ...more);

/** How many keys of the store each passphrase opens, and how many need none. `likely` is tried first: a wrong one takes as long as a right one. */
async function opening(likely: 'old' | 'new', place = home) {
  const words = { old: new Secret(OLD), new: new Secret(NEW) };
  const other = likely === 'old' ? 'new' : 'old';
  const keys = storedKeys(await openStore(place).read());
  const found = { old: 0, new: 0, none: 0 };
  for (const key of keys) {
    if (!isEncrypted(key)) found.none += 1;
    else if (await tryPassphrase(key, words[likely])) found[likely] += 1;
    else if (await tryPassphrase(key, words[other])) found[other] += 1;
  }
  return found;
}

beforeAll(() => {
  program = buildProgram();
});
afterAll(() => {
  removeHomes();
  program?.remove();
});

/** Encrypting every key takes most of the time, so it is done once: `made` is copied for each test. */
let made: string;

/** In a rotation: a CA, an old one, and a client with an issuing CA under each. */
beforeAll(async () => {
  begin();
  for (const argv of [
    ['ca', 'create'],
    ['client', 'add', 'ann', '--yes'],
  ])
    expect(await run(...argv, '--ca-passphrase-file', 'old')).toMatchObject({ exit: 0 });
  await replaceCa(home, OLD);
  expect(await opening('old')).toEqual({ old: 4, new: 0, none: 0 });
  made = home;
});
beforeEach(() => {
  begin();
  cpSync(made, home, { recursive: true });
});

/** A new place for a store, beside the files of both passphrases. */
function begin(): void {
  home = newHome();
  directory = dirname(home);
  for (const [name, words] of Object.entries({ old: OLD, new: NEW }))
    writeFileSync(join(directory, name), `${words}\n`, { mode: 0o600 });
}

/** Everything but the keys. */
async function rest() {
  const { ca, oldCas, issuers, clients } = await openStore(home).read();
  return JSON.stringify([
    ca?.cert,
    ca?.record,
    oldCas.map(({ cert }) => cert),
    ...[...issuers].map(([, one]) => one.cert),
    ...clients,
  ]);
}

test('every key opens with the new one alone, and issues', async () => {
  const before = await rest();
  const { exit, json } = await change('--json');
  expect([exit, json.result]).toEqual([0, { ca: 'docker-tls', keys: 4, passphrase: true }]);
  expect(await opening('new')).toEqual({ old: 0, new: 4, none: 0 });
  expect(await rest()).toBe(before);
  const refused = await run('client', 'add', 'bob', '--yes', '--ca-passphrase-file', 'old', '--json');
  expect(refused.json.error?.code).toBe('E_KEY_PASSPHRASE');
  expect((await run('client', 'add', 'bob', '--yes', '--ca-passphrase-file', 'new')).exit).toBe(0);
});

test('a wrong one changes nothing, a dry run asks for none, and the new one is never that of the environment', async () => {
  const before = picture(home);
  writeFileSync(join(directory, 'old'), 'wrong horse\n');
  expect((await change('--json')).json.error?.code).toBe('E_KEY_PASSPHRASE');
  const planned = await run('ca', 'passphrase', '--dry-run', '--json');
  expect(planned.json.result).toEqual({ ca: 'docker-tls', keys: 4, passphrase: true, dryRun: true });
  const asked = await runIn({ DOCKER_TLS_CA_PASSPHRASE: OLD }, 'ca', 'passphrase', '--yes', '--json');
  expect(asked.json.error).toMatchObject({
    code: 'E_NO_TERMINAL',
    hints: [expect.stringContaining('--new-passphrase-file')],
  });
  expect(picture(home)).toEqual(before);
});

test('none at all needs a yes, and one can be set again', async () => {
  const bare = ['ca', 'passphrase', '--ca-passphrase-file', 'old', '--no-ca-passphrase'];
  expect((await run(...bare, '--json')).json.error?.code).toBe('E_NO_TERMINAL');
  expect(await opening('old')).toEqual({ old: 4, new: 0, none: 0 });
  expect((await run(...bare, '--yes')).exit).toBe(0);
  expect(await opening('new')).toEqual({ old: 0, new: 0, none: 4 });
  expect((await run(...bare, '--yes', '--json')).json.result).toMatchObject({ keys: 0, passphrase: false });
  expect((await change()).exit).toBe(0);
  expect(await opening('new')).toEqual({ old: 0, new: 4, none: 0 });
});

test('keys that were encrypted before the lock are not encrypted again under it', async () => {
  const state = await openStore(home).read();
  const source = { forExistingCa: async () => new Secret(OLD) } as unknown as PassphraseSource;
  const anew = protectAnew(source, new Secret(NEW));
  const [first, second] = [await anew(state), await anew(await openStore(home).read())];
  expect(second).toEqual(first);
  expect(second.ca?.keyPem).toBe(first.ca?.keyPem);
  expect(second.issuers?.ann?.oldKeyPem).toBe(first.issuers?.ann?.oldKeyPem);
});

test('a new one and none exclude each other', async () => {
  expect((await change('--no-ca-passphrase', '--yes', '--json')).json.error?.code).toBe('E_USAGE');
  expect(await opening('old')).toEqual({ old: 4, new: 0, none: 0 });
});

test('without a CA, or without its key, there is nothing to protect', async () => {
  const cert = readFileSync(join(home, 'ca/ca.pem'), 'utf8');
  home = newHome();
  expect((await run('ca', 'passphrase', '--json')).json.error?.code).toBe('E_NO_CA');
  await storeCa(home, { cert });
  expect((await run('ca', 'passphrase', '--json')).json.error?.code).toBe('E_CA_KEY_EXTERNAL');
});

test('a run that is killed leaves all keys under one of the two, and the next run goes on', async () => {
  const kills = new URL('../support/killed-at-call.mjs', import.meta.url);
  async function killed(call: number, likely: 'old' | 'new') {
    const place = newHome();
    cpSync(home, place, { recursive: true });
    const argv = ['ca', 'passphrase', '--ca-passphrase-file', 'old', '--new-passphrase-file', 'new', '--home', place];
    const more = { HOME: directory, NODE_OPTIONS: `--import=${kills}`, KILLED_AT: String(call), STORE: place };
    const { status, err } = await program.run(argv, { cwd: directory, env: { ...process.env, ...more } });
    const keys = await opening(likely, place);
    expect([keys.old, keys.new].sort()).toEqual([0, 4]);
    return { status, calls: Number(/calls (\d+)$/.exec(err)?.[1]), words: keys.old > 0 ? 'old' : 'new', place };
  }
  const whole = await killed(-1, 'new');
  expect(whole).toMatchObject({ status: 0, words: 'new' });
  expect(whole.calls).toBeGreaterThan(10);
  const { calls } = whole;
  const found: string[] = [];
  for (const call of [1, Math.floor(calls / 2), calls - 1]) {
    const { status, words, place } = await killed(call, call === 1 ? 'old' : 'new');
    expect(status).not.toBe(0);
    found.push(words);
    const next = ['client', 'add', 'bob', '--yes', '--ca-passphrase-file', words, '--home', place];
    expect(await runCli(next, { cwd: directory, env: { HOME: directory } })).toMatchObject({ exit: 0 });
  }
  expect([found[0], found.at(-1)]).toEqual(['old', 'new']);
});
