import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../../src/core/adapters/store/store.ts';
import {
  newHome,
  picture,
  removeHomes,
  revealed,
  sampleCa,
  sampleClient,
  sampleHost,
  sampleIssuer,
} from '../../support/store.ts';
import { bundleStore, runChild } from '../../support/store-child.ts';

let bundle = '';
beforeAll(() => {
  bundle = bundleStore();
});
afterAll(removeHomes);

/** Counts every call that changes a file system, and kills its own process (SIGKILL) just before the given one. */
const KILLED_AT_A_CALL = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const [, bundle, home, callText, job] = process.argv;
  let calls = 0;
  let counting = false;
  function count() {
    if (counting && calls++ === Number(callText)) process.kill(process.pid, 'SIGKILL');
  }
  function wrap(owner, name) {
    const original = owner[name];
    owner[name] = function (...args) { count(); return original.apply(this, args); };
  }
  for (const name of ['open', 'link', 'rename', 'rm']) wrap(fs.promises, name);
  for (const name of ['openSync', 'writeFileSync', 'mkdirSync', 'renameSync', 'rmdirSync', 'chmodSync', 'fchmodSync', 'unlinkSync', 'rm']) wrap(fs, name);
  syncBuiltinESMExports();
  const { openStore, sampleCa, sampleClient, sampleHost } = await import(bundle);
  const store = openStore(home);
  counting = job === 'write';
  await store.withLock('doomed', async () => {
    const token = await store.write({
      ca: sampleCa(1), retireCa: true,
      hosts: { web: sampleHost('web', 1), fresh: sampleHost('fresh', 1) },
      removeClients: ['anna'],
    });
    if (job === 'undo') { counting = true; await token.undo(); }
  });
  counting = false;
  console.log('calls ' + calls);
`;

async function oldStore() {
  const store = openStore(newHome());
  await store.withLock('test', () =>
    store.write({
      ca: sampleCa(0),
      issuers: { anna: sampleIssuer(0) },
      hosts: { web: sampleHost('web', 0) },
      clients: { anna: sampleClient('anna', 0) },
    }),
  );
  return store;
}

/** Contents of the store that do not depend on the home's path. */
async function contents(store: ReturnType<typeof openStore>): Promise<string> {
  return JSON.stringify(revealed(await store.read())).replaceAll(store.home, 'HOME');
}

/** Without the revision: no two writes have the same. */
function withoutRevision(home: string): object {
  return {
    ...picture(home),
    'store.json': readFileSync(join(home, 'store.json'), 'utf8').replace(/[-0-9a-f]{36}/, ''),
  };
}

describe.each(['write', 'undo'] as const)('a run that is killed at any call of its %s', (job) => {
  test('leaves the old or the new, reading changes nothing, and the next run tidies up and goes on', async () => {
    const template = await oldStore();
    const old = await contents(template);
    const whole = newHome();
    cpSync(template.home, whole, { recursive: true, preserveTimestamps: true });
    const { stdout } = await runChild(KILLED_AT_A_CALL, [bundle, whole, '-1', job]).ended;
    const calls = Number(/^calls (\d+)/.exec(stdout)?.[1]);
    expect(calls).toBeGreaterThan(job === 'write' ? 50 : 10);
    const written = openStore(newHome());
    cpSync(template.home, written.home, { recursive: true });
    await runChild(KILLED_AT_A_CALL, [bundle, written.home, '-1', 'write']).ended;
    const fresh = await contents(written);
    expect(fresh).not.toBe(old);

    const outcomes: string[] = [];
    const journals = new Set<string>();
    async function killAt(call: number): Promise<void> {
      const home = newHome();
      cpSync(template.home, home, { recursive: true });
      expect(await runChild(KILLED_AT_A_CALL, [bundle, home, String(call), job]).ended).toMatchObject({
        signal: 'SIGKILL',
      });
      const store = openStore(home);
      const before = picture(home);
      for (const name of readdirSync(home)) journals.add(name.slice(0, 6));
      const found = await contents(store);
      expect(picture(home)).toEqual(before);
      expect([old, fresh]).toContain(found);
      outcomes[call] = found === old ? 'old' : 'new';

      await store.withLock('next', async () => {
        expect(await contents(store)).toBe(found);
        const token = await store.write({ hosts: { next: sampleHost('next', 2) } });
        expect((await store.read()).hosts.has('next')).toBe(true);
        await token.undo();
      });
      expect(await contents(store)).toBe(found);
      // `picture` includes everything: no lock and no journal remains.
      const alike = found === old ? (job === 'write' ? template.home : whole) : written.home;
      expect(withoutRevision(home)).toEqual(withoutRevision(alike));
    }
    for (let call = 0; call < calls; call += 2) {
      await Promise.all([call, call + 1].filter((each) => each < calls).map(killAt));
    }

    // It changes at a single moment.
    const [first, last] = job === 'write' ? ['old', 'new'] : ['new', 'old'];
    const turn = outcomes.indexOf(last);
    expect(turn).toBeGreaterThan(0);
    expect(outcomes).toEqual([...Array(turn).fill(first), ...Array(calls - turn).fill(last)]);
    expect([...journals]).toEqual(
      expect.arrayContaining(job === 'write' ? ['.stage', '.chang', '.done-'] : ['.undo', '.done-']),
    );
  });
});
