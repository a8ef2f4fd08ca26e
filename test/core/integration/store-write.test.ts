import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeChange } from '../../../src/core/adapters/store/journal.ts';
import type { StoreChange } from '../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../src/core/adapters/store/store.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import {
  credential,
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
import { SHORT_SERIAL } from '../../support/store-credentials.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
let bundle = '';

beforeAll(() => {
  bundle = bundleStore();
});
afterAll(removeHomes);

const everything: StoreChange = {
  ca: sampleCa(0),
  oldCas: [{ cert: credential(2).cert }],
  issuers: { anna: sampleIssuer(1) },
  hosts: { web: sampleHost('web', 0), 'db.1': { ...sampleHost('db.1', 1), serverKey: undefined } },
  clients: { anna: sampleClient('anna', 0), bob: { ...sampleClient('bob', 1), key: undefined } },
};

async function filled(home = newHome()) {
  const store = openStore(home);
  await store.withLock('test', () => store.write(everything));
  return store;
}

describe('what is written', () => {
  test('is read again, whole', async () => {
    const store = await filled();
    const state = await store.read();
    expect(await store.exists()).toBe(true);
    expect(revealed(state)).toEqual({
      ca: revealed(sampleCa(0) as never),
      oldCas: [{ serial: expect.stringMatching(/^[0-9A-F]{40}$/), cert: credential(2).cert }],
      issuers: { anna: revealed(sampleIssuer(1) as never) },
      hosts: {
        web: revealed(sampleHost('web', 0) as never),
        'db.1': revealed({ ...sampleHost('db.1', 1), serverKey: undefined } as never),
      },
      clients: {
        anna: {
          ...(revealed(sampleClient('anna', 0) as never) as object),
          directory: join(store.home, 'clients', 'anna'),
        },
        bob: {
          ...(revealed({ ...sampleClient('bob', 1), key: undefined } as never) as object),
          directory: join(store.home, 'clients', 'bob'),
        },
      },
    });
    expect(JSON.stringify([...state.clients.values()])).not.toContain('PRIVATE KEY');
  });

  test('has no more files than it should: nothing is left of the change', async () => {
    const { home } = await filled();
    expect(readdirSync(home).sort()).toEqual(['ca', 'clients', 'hosts', 'store.json']);
    expect(readdirSync(join(home, 'clients', 'anna')).sort()).toEqual(['ca.pem', 'cert.pem', 'client.json', 'key.pem']);
    expect(readdirSync(join(home, 'clients', 'bob')).sort()).toEqual(['ca.pem', 'cert.pem', 'client.json']);
    expect(readFileSync(join(home, 'store.json'), 'utf8')).toMatch(/^{"schema":1,"revision":"[-0-9a-f]{36}"}\n$/);
  });

  test('replaces a directory whole, removes, retires', async () => {
    const store = await filled();
    const before = await store.read();
    await store.withLock('test', () =>
      store.write({
        ca: { ...sampleCa(1), keyPem: undefined },
        retireCa: true,
        hosts: { web: { ...sampleHost('web', 2), serverKey: undefined } },
        removeHosts: ['db.1', 'never-there'],
        removeClients: ['bob'],
        removeIssuers: ['anna'],
        removeOldCas: before.oldCas.map(({ serial }) => serial),
      }),
    );
    const state = await store.read();
    expect(state.ca).toEqual({ ...sampleCa(1), keyPem: undefined });
    expect(state.oldCas.map(({ cert, keyPem, record }) => [cert, keyPem?.revealText(), record])).toEqual([
      [sampleCa(0).cert, sampleCa(0).keyPem?.revealText(), sampleCa(0).record],
    ]);
    expect([...state.hosts.keys()]).toEqual(['web']);
    expect(state.hosts.get('web')?.serverKey).toBeUndefined();
    expect(existsSync(join(store.home, 'ca', 'ca-key.pem'))).toBe(false);
    expect([...state.clients.keys()]).toEqual(['anna']);
    expect(state.issuers.size).toBe(0);
  });

  test('retires a CA with no successor, and two that share a serial', async () => {
    const store = openStore(newHome());
    await store.withLock('test', async () => {
      await store.write({ ca: { ...sampleCa(0), cert: SHORT_SERIAL } });
      await store.write({ retireCa: true, oldCas: [sampleCa(1)] });
    });
    const state = await store.read();
    expect(state.ca).toBeUndefined();
    expect(state.oldCas.map(({ serial }) => serial)).toEqual(
      [expect.stringMatching(/^01-/), expect.stringMatching(/^.{40}$/)].sort(),
    );
  });

  test('of parallel writes is all there', async () => {
    const store = openStore(newHome());
    const names = Array.from({ length: 20 }, (_, index) => `host-${index}`);
    await store.withLock('test', () =>
      Promise.all(names.map((name, index) => store.write({ hosts: { [name]: sampleHost(name, index) } }))),
    );
    expect([...(await store.read()).hosts.keys()].sort()).toEqual(names.sort());
  });
});

describe('reading', () => {
  test('changes nothing and makes nothing', async () => {
    const empty = openStore(newHome());
    expect(await empty.exists()).toBe(false);
    expect(await empty.read()).toEqual({ oldCas: [], issuers: new Map(), hosts: new Map(), clients: new Map() });
    expect(readdirSync(dirname(empty.home))).toEqual([]);

    const { home, read } = await filled();
    const before = picture(home);
    const changed = statSync(home).ctimeMs;
    await read();
    expect(picture(home)).toEqual(before);
    expect(statSync(home).ctimeMs).toBe(changed);
  });

  test('sees one state or the other while another run changes it all the time', async () => {
    const home = newHome();
    const script = `
      import { existsSync } from 'node:fs';
      const { openStore, sampleHost, sampleCa } = await import(process.argv[1]);
      const store = openStore(process.argv[2]);
      await store.withLock('writer', async () => {
        for (let turn = 0; turn < 150 || (turn < 5000 && !existsSync(process.argv[2] + '.read')); turn++) {
          const token = await store.write({ ca: sampleCa(turn), hosts: { a: sampleHost('a', turn), b: sampleHost('b', turn) }, ...(turn % 2 ? { removeClients: ['x'] } : {}) });
          if (turn === 0) console.log('go');
          if (turn % 3 === 1) await token.undo();
        }
      });`;
    const writer = runChild(script, [bundle, home]);
    const store = openStore(home);
    let reads = 0;
    const seen = new Set<number | undefined>();
    let running = true;
    void writer.ended.then(() => {
      running = false;
    });
    while (running) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (!writer.output().includes('go')) continue;
      const state = await store.read();
      const [a, b] = [state.hosts.get('a'), state.hosts.get('b')];
      expect(a?.record.generation).toBe(b?.record.generation);
      expect(a?.serverCert).toBe(credential(a?.record.generation ?? 0).cert);
      expect(state.ca?.record.name).toBe(`ca-${a?.record.generation}`);
      expect(state.ca?.cert).toBe(a?.serverCert);
      seen.add(a?.record.generation);
      reads += 1;
      // On a busy machine the reader may be the slower one.
      if (reads > 10 && seen.size > 3) writeFileSync(`${home}.read`, '');
    }
    expect((await writer.ended).stderr).toBe('');
    expect(reads).toBeGreaterThan(10);
    expect(seen.size).toBeGreaterThan(3);
  });
});

describe('modes', () => {
  const modeOf = (path: string) => (lstatSync(path).mode & 0o7777).toString(8);
  function expectModes(home: string): void {
    for (const path of Object.keys(picture(home))) {
      const at = join(home, path);
      const wanted = lstatSync(at).isDirectory()
        ? '700'
        : path.endsWith('key.pem')
          ? '400'
          : path.endsWith('.pem')
            ? '444'
            : '600';
      expect(`${path} ${modeOf(at)}`).toBe(`${path} ${wanted}`);
    }
  }
  const script = `
    const { openStore, sampleHost, sampleCa, sampleClient, sampleIssuer } = await import(process.argv[1]);
    const store = openStore(process.argv[2]);
    for (let turn = 0; turn < Number(process.argv[3]); turn++) {
      await store.withLock('test', async () => {
        await store.write({ ca: sampleCa(turn), retireCa: true, issuers: { x: sampleIssuer(turn) }, hosts: { h: sampleHost('h', turn) }, clients: { x: sampleClient('x', turn) } });
        const token = await store.write({ hosts: { h: sampleHost('h', turn + 1) }, removeClients: ['x'] });
        await token.undo();
      });
    }
    await store.read();
    console.log('end');`;

  test.each([0, 0o022, 0o077, 0o777])('are the same under umask %i', async (umask) => {
    const home = newHome();
    const { stdout, stderr } = await runChild(script, [bundle, home, '1'], { umask }).ended;
    expect([stdout, stderr]).toEqual(['end\n', '']);
    expectModes(home);
    expect(Object.keys(picture(home))).toContain('clients/x/key.pem');
  });

  test.skipIf(!isRoot)('are the same for a user who is not root, and root is told whose store it is', async () => {
    const home = newHome();
    chmodSync(dirname(home), 0o755);
    chownSync(dirname(home), NOBODY, NOBODY);
    const { stdout, stderr } = await runChild(script, [bundle, home, '1'], { uid: NOBODY, umask: 0o022 }).ended;
    expect([stdout, stderr]).toEqual(['end\n', '']);
    expectModes(home);
    const error = await openStore(home)
      .read()
      .catch((caught) => caught);
    expect(error).toMatchObject({
      code: 'E_STORE_MODES',
      exit: 2,
      message: expect.toSay('belongs-user-not-you', NOBODY, '0'),
    });
  });

  test('are never wider, seen by one who looks all the time', async () => {
    const home = newHome();
    const watcher = runChild(
      `
      import { lstatSync, readdirSync } from 'node:fs';
      const seen = new Map();
      let stop = false;
      process.stdin.on('end', () => { stop = true; }).resume();
      function look(at, path) {
        let stats;
        try { stats = lstatSync(at); } catch { return; }
        const kind = stats.isDirectory() ? 'directory' : path.endsWith('key.pem') ? 'key' : path.endsWith('.pem') ? 'certificate' : 'record';
        const where = /^\\.(staged|change|undo|done|lock)/.test(path.split('/')[1] ?? '') ? 'journal' : 'place';
        const key = [where, kind, (stats.mode & 0o7777).toString(8)].join(' ');
        seen.set(key, (seen.get(key) ?? 0) + 1);
        if (!stats.isDirectory()) return;
        let names = [];
        try { names = readdirSync(at); } catch {}
        for (const name of names) look(at + '/' + name, path + '/' + name);
      }
      console.log('ready');
      while (!stop) { for (let turn = 0; turn < 20; turn++) look(process.argv[1], ''); await new Promise(setImmediate); }
      console.log(JSON.stringify([...seen]));`,
      [home],
    );
    await watcher.says('ready');
    for (const umask of [0, 0o077]) {
      expect((await runChild(script, [bundle, home, '25'], { umask }).ended).stderr).toBe('');
    }
    watcher.child.stdin?.end();
    const { stdout } = await watcher.ended;
    const seen = JSON.parse(stdout.slice(stdout.indexOf('['))) as [string, number][];
    const widest = { key: 0o400, certificate: 0o444, record: 0o600, directory: 0o700 };
    for (const [key] of seen) {
      const [, kind, mode] = key.split(' ') as [string, keyof typeof widest, string];
      expect(`${key}: ${Number.parseInt(mode, 8) & ~widest[kind]}`).toBe(`${key}: 0`);
    }
    // The test did see the journal, not only the result.
    expect(seen.map(([key]) => key)).toEqual(
      expect.arrayContaining(['journal key 400', 'place key 400', 'journal certificate 444']),
    );
  });
});

describe('undo', () => {
  test('of the first write leaves nothing at all', async () => {
    const home = join(newHome(), 'deeper');
    const store = openStore(home);
    await store.withLock('test', async () => (await store.write(everything)).undo());
    expect(readdirSync(dirname(dirname(home)))).toEqual([]);
  });

  test('of the first write leaves nothing either where a host was recorded since, and removed again', async () => {
    const home = join(newHome(), 'deep/er');
    const store = openStore(home);
    await store.withLock('test', async () => {
      const first = await store.write({ ca: sampleCa(1) });
      await store.write({ hosts: { web: sampleHost('web', 1) } });
      await store.write({ removeHosts: ['web'] });
      await first.undo();
    });
    expect(existsSync(join(home, '..'))).toBe(false);
  });

  test('puts back bytes and modes, and works once', async () => {
    const store = await filled();
    const before = picture(store.home);
    await store.withLock('test', async () => {
      const token = await store.write({
        ca: sampleCa(1),
        retireCa: true,
        hosts: { web: sampleHost('web', 1) },
        removeClients: ['anna'],
        removeIssuers: ['anna'],
      });
      expect((await store.read()).clients.has('anna')).toBe(false);
      await token.undo();
      expect((await store.read()).clients.has('anna')).toBe(true);
      await expect(token.undo()).rejects.toThrow('undone before');
    });
    expect(picture(store.home)).toEqual(before);
  });

  test('of one host leaves the other hosts of a parallel run as they are', async () => {
    const store = await filled();
    await store.withLock('test', async () => {
      const web = await store.write({ hosts: { web: sampleHost('web', 7) } });
      await store.write({ hosts: { 'db.1': sampleHost('db.1', 8) } });
      await web.undo();
    });
    const { hosts } = await store.read();
    expect([hosts.get('web')?.record.generation, hosts.get('db.1')?.record.generation]).toEqual([0, 8]);
  });

  test('out of order on the same names, or without the lock, is refused', async () => {
    const store = await filled();
    const token = await store.withLock('test', async () => {
      const first = await store.write({ hosts: { web: sampleHost('web', 1) } });
      const second = await store.write({ hosts: { web: sampleHost('web', 2) } });
      await expect(first.undo()).rejects.toThrow('later write');
      await second.undo();
      await first.undo();
      return store.write({ hosts: { web: sampleHost('web', 3) } });
    });
    await expect(token.undo()).rejects.toThrow('lock');
    expect((await store.read()).hosts.get('web')?.record.generation).toBe(3);
  });
});

describe('a write is refused', () => {
  test('outside the lock', async () => {
    const store = openStore(newHome());
    await expect(store.write(everything)).rejects.toThrow('inside withLock');
    expect(existsSync(store.home)).toBe(false);
  });

  test.each<[string, StoreChange, object]>([
    ['a name that is none', { hosts: { '../web': sampleHost('../web', 0) } }, { code: 'E_NAME' }],
    ['a removal outside', { removeClients: ['../../etc'] }, { code: 'E_NAME' }],
    ['a name that differs in case only', { hosts: { WEB: sampleHost('WEB', 0) } }, { code: 'E_NAME' }],
    ['another name in the record', { hosts: { web: sampleHost('other', 0) } }, { name: 'TypeError' }],
    [
      'a key as certificate',
      { ca: { ...sampleCa(0), cert: sampleCa(0).keyPem?.revealText() ?? '' } },
      { name: 'TypeError' },
    ],
    ['a certificate as key', { ca: { ...sampleCa(0), keyPem: new Secret(sampleCa(0).cert) } }, { name: 'TypeError' }],
    ['half a record', { ca: { ...sampleCa(0), record: { name: 'x' } as never } }, { name: 'TypeError' }],
  ])('for %s, and nothing changes', async (_what, change, expected) => {
    const store = await filled();
    const before = picture(store.home);
    const error = await store
      .withLock('test', () => store.write({ clients: { new: sampleClient('new', 1) }, ...change }))
      .catch((caught) => caught);
    expect({ name: error.name, code: error.code }).toMatchObject(expected);
    expect(String(error.message)).not.toContain('PRIVATE');
    expect(picture(store.home)).toEqual(before);
  });

  test('renaming in case only works when the old name goes', async () => {
    const store = await filled();
    await store.withLock('test', () => store.write({ hosts: { Web: sampleHost('Web', 0) }, removeHosts: ['web'] }));
    expect([...(await store.read()).hosts.keys()]).toEqual(['Web', 'db.1']);
  });

  test.skipIf(!isRoot)('on a full disk at any byte, undo still works, and nothing changes', async () => {
    const home = newHome();
    mkdirSync(home, { mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400k,mode=700', 'tmpfs', home]);
    try {
      const store = await filled(home);
      const codes: unknown[] = [];
      for (let room = 160; room >= 0; room -= 8) {
        const before = picture(home);
        await store.withLock('test', async () => {
          const token = await store.write({ hosts: { web: sampleHost('web', 1) } });
          execFileSync('sh', [
            '-c',
            `head -c 1000000 /dev/zero > ${join(home, 'ballast')} 2>/dev/null || true; truncate -s -${room}k ${join(home, 'ballast')}`,
          ]);
          const error = await store.write({ ...everything, ca: sampleCa(1), retireCa: true }).then(
            (second) => second.undo(),
            (caught) => caught,
          );
          codes.push(error?.code);
          await token.undo();
          execFileSync('rm', [join(home, 'ballast')]);
        });
        expect(picture(home)).toEqual(before);
      }
      expect(codes[0]).toBeUndefined();
      expect(codes.at(-1)).toBe('E_STORE_FULL');
      execFileSync('sh', ['-c', `head -c 1000000 /dev/zero > ${join(home, 'ballast')} 2>/dev/null || true`]);
      await expect(store.withLock('test', async () => undefined)).rejects.toMatchObject({
        code: 'E_STORE_FULL',
        exit: 4,
      });
      expect((await store.read()).hosts.size).toBe(2);
    } finally {
      execFileSync('umount', [home]);
    }
  });

  test.skipIf(!isRoot)('and that cannot be put back either is finished by the next run', async () => {
    const store = await filled();
    const { home } = store;
    const busy = join(home, 'hosts/web');
    execFileSync('mount', ['--bind', busy, busy]);
    try {
      // Blocks the journal that undoes a change.
      mkdirSync(join(home, '.undo/x'), { recursive: true });
      await expect(makeChange(home, [], ['hosts/web'])).rejects.toMatchObject({ code: 'E_STORE_HALF', exit: 6 });
      rmSync(join(home, '.undo'), { recursive: true });
    } finally {
      execFileSync('umount', [busy]);
    }
    await store.withLock('test', async () => undefined);
    expect([...(await store.read()).hosts.keys()]).toEqual(['db.1']);
  });

  test.skipIf(!isRoot)('where the directory cannot be written', async () => {
    const home = newHome();
    chmodSync(dirname(home), 0o755);
    const script = `
      const { openStore } = await import(process.argv[1]);
      await openStore(process.argv[2]).withLock('test', async () => {}).catch((error) => console.log(error.code, error.exit));`;
    expect((await runChild(script, [bundle, home], { uid: NOBODY }).ended).stdout).toBe('E_STORE_WRITE 4\n');
  });
});

test('the outermost directory may be a link, as in dotfiles', async () => {
  const home = newHome();
  mkdirSync(`${home}.real`, { mode: 0o700 });
  symlinkSync(`${home}.real`, home);
  const store = await filled(home);
  expect((await store.read()).hosts.size).toBe(2);
  expect(lstatSync(home).isSymbolicLink()).toBe(true);
});
