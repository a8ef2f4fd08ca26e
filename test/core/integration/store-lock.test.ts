import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../../src/core/adapters/store/store.ts';
import { newHome, removeHomes, sampleHost } from '../../support/store.ts';
import { bundleStore, runChild } from '../../support/store-child.ts';

let bundle = '';
beforeAll(() => {
  bundle = bundleStore();
});
afterAll(removeHomes);

const HOLDS = `
  const { openStore } = await import(process.argv[1]);
  await openStore(process.argv[2]).withLock('docker-tls apply', async () => {
    console.log('held');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  });`;

async function holder(home: string) {
  const run = runChild(HOLDS, [bundle, home]);
  await run.says('held');
  return run;
}

describe('the lock', () => {
  test('says who, since when and which file to delete, and is gone when its process is', async () => {
    const home = newHome();
    const first = await holder(home);
    const store = openStore(home);
    const error = await store.withLock('second', async () => undefined).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'E_STORE_LOCKED', exit: 4, where: join(home, 'lock') });
    expect(error.message).toSay('store-held', '"docker-tls apply"', hostname(), first.child.pid ?? 0);
    expect(error.hints).toSay('run-died-rm-2', join(home, 'lock'));
    expect(await store.read()).toMatchObject({ oldCas: [] });

    first.child.kill('SIGKILL');
    await first.ended;
    expect(existsSync(join(home, 'lock'))).toBe(true);
    expect(await store.withLock('third', async () => 'taken over')).toBe('taken over');
    expect(existsSync(join(home, 'lock'))).toBe(false);
  });

  test.each([
    ['an error', `throw new Error('no')`],
    ['process.exit', 'process.exit(3)'],
    [
      'an error that is not caught',
      `setTimeout(() => { throw new Error('no'); }); await new Promise((r) => setTimeout(r, 5000))`,
    ],
  ])('is restored after %s', async (_what, body) => {
    const home = newHome();
    const script = `
      const { openStore } = await import(process.argv[1]);
      await openStore(process.argv[2]).withLock('test', async () => { ${body} });`;
    const { code } = await runChild(script, [bundle, home]).ended;
    expect(code).not.toBe(0);
    expect(existsSync(join(home, 'lock'))).toBe(false);
  });

  test('leaves no directory where nothing was written, and keeps what was there', async () => {
    const home = newHome();
    await openStore(join(home, 'a', 'b')).withLock('test', async () => undefined);
    expect(readdirSync(dirname(home))).toEqual([]);
    mkdirSync(home, { mode: 0o700 });
    await openStore(home).withLock('test', async () => undefined);
    expect(readdirSync(home)).toEqual([]);
  });

  test('is joined within one Store, not between two', async () => {
    const home = newHome();
    const store = openStore(home);
    await store.withLock('outer', async () => {
      await store.withLock('inner', () => store.write({ hosts: { a: sampleHost('a', 0) } }));
      expect(existsSync(join(home, 'lock'))).toBe(true);
      await expect(openStore(home).withLock('other', async () => undefined)).rejects.toMatchObject({
        code: 'E_STORE_LOCKED',
      });
      await store.write({ hosts: { b: sampleHost('b', 0) } });
    });
    // A run that begins while the last one finishes waits for it.
    await Promise.all(
      Array.from({ length: 20 }, async (_, turn) => {
        await new Promise((resolve) => setTimeout(resolve, turn % 7));
        await store.withLock('again', () => store.write({ hosts: { c: sampleHost('c', turn) } }));
      }),
    );
    expect(readdirSync(home).sort()).toEqual(['hosts', 'store.json']);
  });

  const token = '01234567-89ab-cdef-0123-456789abcdef';
  const dead = { token, who: 'x', pid: 2 ** 22 + 1, host: hostname(), user: 'a', since: '2026-11-25T10:00:00.000Z' };
  test.each([
    ['a dead process of this computer', dead, true],
    ['a number that another process has by now', { ...dead, pid: process.pid, began: '1' }, true],
    ['this very process', { ...dead, pid: process.pid }, false],
    ['another computer', { ...dead, host: 'external' }, false],
    ['a terminal escape for a name', { ...dead, host: 'else\u001b[31mwhere' }, false],
    ['a token that is a path', { ...dead, token: '../../../x' }, false],
    ['no process', { ...dead, pid: undefined }, false],
    ['no process: null', null, false],
  ])('of %s', async (_what, content, free) => {
    const home = newHome();
    mkdirSync(home, { mode: 0o700 });
    writeFileSync(join(home, 'lock'), JSON.stringify(content), { mode: 0o600 });
    const outcome = await openStore(home)
      .withLock('test', async () => 'in')
      .catch((caught) => caught);
    if (free) expect(outcome).toBe('in');
    else {
      expect(outcome).toMatchObject({ code: 'E_STORE_LOCKED' });
      expect(outcome.message).not.toContain('\u001b');
      expect(JSON.parse(readFileSync(join(home, 'lock'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(content)));
    }
    expect(readdirSync(home).filter((name) => name !== 'lock')).toEqual([]);
  });

  test('that another run took after a hand removed ours stays, when we are done', async () => {
    const home = newHome();
    const theirs = JSON.stringify({ ...dead, pid: process.pid });
    await openStore(home).withLock('test', async () => {
      writeFileSync(join(home, 'lock'), theirs, { mode: 0o600 });
    });
    expect(readFileSync(join(home, 'lock'), 'utf8')).toBe(theirs);
  });

  test('of a dead process stays with the run that took it over while we looked', async () => {
    const home = newHome();
    mkdirSync(home, { mode: 0o700 });
    const [lock, right] = [join(home, 'lock'), join(home, `.lock-of-${token}`)];
    // A reader of the pipe gets the next text: first the dead process, then the faster run.
    execFileSync('mkfifo', ['-m', '600', lock]);
    const outcome = openStore(home)
      .withLock('test', async () => 'in')
      .catch(({ code }) => code);
    const faster = JSON.stringify({ ...dead, token: dead.token.replace('0', '1'), pid: process.pid });
    await writeFile(lock, JSON.stringify(dead));
    await expect.poll(() => existsSync(right)).toBe(true);
    await writeFile(lock, faster);
    await expect.poll(() => existsSync(right)).toBe(false);
    const last = lstatSync(lock).isFIFO() ? writeFile(lock, faster) : undefined;
    expect(await outcome).toBe('E_STORE_LOCKED');
    await last;
  });

  test('of a dead process, whose place another took that died as well, names both files', async () => {
    const home = newHome();
    mkdirSync(home, { mode: 0o700 });
    const [lock, right] = [join(home, 'lock'), join(home, `.lock-of-${token}`)];
    for (const path of [lock, right]) writeFileSync(path, JSON.stringify(dead), { mode: 0o600 });
    const error = await openStore(home)
      .withLock('test', async () => 'in')
      .catch((caught) => caught);
    expect(error).toMatchObject({ code: 'E_STORE_LOCKED' });
    expect(error.hints).toSay('run-died-rm', lock, right);
  });

  test('of a process that is not ours to signal holds', async () => {
    const home = newHome();
    mkdirSync(home, { mode: 0o700 });
    writeFileSync(join(home, 'lock'), JSON.stringify({ ...dead, pid: 1 }), { mode: 0o600 });
    const uid = process.getuid?.() === 0 ? 65534 : undefined;
    if (uid !== undefined) for (const path of [dirname(home), home, join(home, 'lock')]) chownSync(path, uid, uid);
    const script = `
      const { openStore } = await import(process.argv[1]);
      console.log(await openStore(process.argv[2]).withLock('test', async () => 'taken over').catch(({ code }) => code));`;
    const { stdout, stderr } = await runChild(script, [bundle, home], { uid }).ended;
    expect(stdout + stderr).toBe('E_STORE_LOCKED\n');
  });

  test('accepts one at a time, however many want it, and after a holder died', async () => {
    const home = newHome();
    const first = openStore(home);
    await first.withLock('test', () => first.write({ hosts: { sum: { ...sampleHost('sum', 0) } } }));
    const script = `
      import { mkdirSync, rmdirSync } from 'node:fs';
      const { openStore, sampleHost } = await import(process.argv[1]);
      const [home, turns] = [process.argv[2], Number(process.argv[3])];
      const store = openStore(home);
      for (let turn = 0; turn < turns; ) {
        try {
          await store.withLock('test', async () => {
            mkdirSync(home + '.busy');
            const count = (await store.read()).hosts.get('sum').record.generation;
            await store.write({ hosts: { sum: sampleHost('sum', count + 1) } });
            rmdirSync(home + '.busy');
          });
          turn += 1;
        } catch (error) {
          if (error.code !== 'E_STORE_LOCKED') throw error;
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
        }
      }
      console.log('done');`;
    for (let round = 0; round < 3; round++) {
      const victim = await holder(home);
      victim.child.kill('SIGKILL');
      await victim.ended;
      const runs = await Promise.all(Array.from({ length: 4 }, () => runChild(script, [bundle, home, '5']).ended));
      expect(runs.map(({ stdout, stderr }) => stdout + stderr)).toEqual(Array(4).fill('done\n'));
    }
    expect((await first.read()).hosts.get('sum')?.record.generation).toBe(60);
    expect(readdirSync(home).sort()).toEqual(['hosts', 'store.json']);
  });
});
