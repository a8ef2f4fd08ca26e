import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../../src/core/adapters/store/store.ts';
import {
  newHome,
  picture,
  removeHomes,
  sampleCa,
  sampleClient,
  sampleHost,
  sampleIssuer,
} from '../../support/store.ts';
import { bundleStore, runChild } from '../../support/store-child.ts';
import { CREDENTIALS } from '../../support/store-credentials.ts';

afterAll(removeHomes);

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;

async function filled(): Promise<string> {
  const store = openStore(newHome());
  await store.withLock('test', async () => {
    await store.write({ ca: sampleCa(2) });
    await store.write({
      ca: sampleCa(0),
      retireCa: true,
      issuers: { anna: sampleIssuer(0) },
      hosts: { web: sampleHost('web', 0) },
      clients: { anna: sampleClient('anna', 0) },
    });
  });
  return store.home;
}

function replace(path: string, text: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode: 0o400 });
}

type Damage = readonly [what: string, harm: (home: string) => void, message: RegExp, hint: RegExp];

const damages: readonly Damage[] = [
  ['an empty store.json', (home) => replace(join(home, 'store.json'), ''), /store\.json is empty/, /schema/],
  [
    'a lost store.json',
    (home) => rmSync(join(home, 'store.json')),
    /store\.json is missing/,
    /echo '\{"schema":1\}' > /,
  ],
  [
    'a store.json of something else',
    (home) => replace(join(home, 'store.json'), '{"schema":"a"}'),
    /names no schema/,
    /schema/,
  ],
  [
    'a cut host.json',
    (home) => replace(join(home, 'hosts/web/host.json'), '{"name": "web"'),
    /hosts\/web\/host\.json is not JSON/,
    /^docker-tls setup USER@HOST --name web$/,
  ],
  [
    'a host.json with wrong values',
    (home) => replace(join(home, 'hosts/web/host.json'), '{"name":"web"}'),
    /ssh is missing, address is missing/,
    /^mv .*hosts\/web .*hosts-web\.damaged$/,
  ],
  [
    'a lost server certificate',
    (home) => rmSync(join(home, 'hosts/web/server-cert.pem')),
    /server-cert\.pem is missing/,
    /^docker-tls setup USER@HOST --name web$/,
  ],
  [
    'a directory that was copied',
    (home) => cpSync(join(home, 'hosts/web'), join(home, 'hosts/web2'), { recursive: true }),
    /is the record of web, not of web2/,
    /^mv /,
  ],
  ['an empty directory of a host', (home) => mkdirSync(join(home, 'hosts/half'), { mode: 0o700 }), /3 things/, /half/],
  [
    'a directory with a strange name',
    (home) => mkdirSync(join(home, 'hosts/web copy')),
    /has a name that we do not give/,
    /^mv '/,
  ],
  [
    'a key that is none',
    (home) => replace(join(home, 'clients/anna/key.pem'), 'hello'),
    /clients\/anna\/key\.pem holds no private key/,
    /^docker-tls client add anna$/,
  ],
  [
    'a cut certificate',
    (home) => replace(join(home, 'clients/anna/cert.pem'), CREDENTIALS[0].cert.slice(0, 300)),
    /cert\.pem holds no certificate/,
    /anna/,
  ],
  [
    'a lost CA certificate',
    (home) => rmSync(join(home, 'ca/ca.pem')),
    /ca\/ca\.pem is missing/,
    /^docker-tls ca create$/,
  ],
  [
    'a lost CA record',
    (home) => rmSync(join(home, 'ca/ca.json')),
    /ca\/ca\.json is missing/,
    /restore .* from a backup/,
  ],
  [
    'a CA key that is none',
    (home) => replace(join(home, 'ca/ca-key.pem'), CREDENTIALS[0].cert),
    /ca-key\.pem holds no private key/,
    /backup/,
  ],
  [
    'a lost issuing CA',
    (home) => rmSync(join(home, 'ca/issuers/anna/ca.pem')),
    /issuers\/anna\/ca\.pem is missing/,
    /client add anna/,
  ],
  [
    'an old CA in the wrong directory',
    (home) => renameSync(join(home, 'ca/old', readdirSync(join(home, 'ca/old'))[0] ?? ''), join(home, 'ca/old/AB')),
    /ca\/old\/AB\/ca\.pem is the CA [0-9A-F]{40}/,
    /^mv \S+\/AB \S+\/[0-9A-F]{40}$/,
  ],
  [
    'a link for a key',
    (home) => {
      rmSync(join(home, 'clients/anna/key.pem'));
      symlinkSync('/etc/hostname', join(home, 'clients/anna/key.pem'));
    },
    /key\.pem is a link where a file is expected/,
    /mv/,
  ],
  [
    'a link for a key that leads nowhere',
    (home) => {
      rmSync(join(home, 'clients/anna/key.pem'));
      symlinkSync('/nowhere', join(home, 'clients/anna/key.pem'));
    },
    /is a link/,
    /mv/,
  ],
  [
    'a link for a directory',
    (home) => {
      renameSync(join(home, 'hosts/web'), `${home}.web`);
      symlinkSync(`${home}.web`, join(home, 'hosts/web'));
    },
    /hosts\/web is a link/,
    /^mv /,
  ],
  [
    'a link for all hosts',
    (home) => {
      renameSync(join(home, 'hosts'), `${home}.hosts`);
      symlinkSync(`${home}.hosts`, join(home, 'hosts'));
    },
    /hosts is a link, not a directory/,
    /^mv /,
  ],
  [
    'a file for a directory',
    (home) => {
      rmSync(join(home, 'clients'), { recursive: true });
      writeFileSync(join(home, 'clients'), '');
    },
    /clients is not a directory/,
    /^mv /,
  ],
  [
    'a directory for a file',
    (home) => {
      rmSync(join(home, 'clients/anna/cert.pem'));
      mkdirSync(join(home, 'clients/anna/cert.pem'));
    },
    /cert\.pem is not a file/,
    /mv/,
  ],
  [
    'a pipe for a file',
    (home) => {
      rmSync(join(home, 'clients/anna/key.pem'));
      execFileSync('mkfifo', ['-m', '400', join(home, 'clients/anna/key.pem')]);
    },
    /key\.pem is not a file/,
    /mv/,
  ],
  ['a file of 2 MiB', (home) => replace(join(home, 'hosts/web/ca.pem'), 'x'.repeat(2 ** 21)), /is far too large/, /mv/],
  [
    'a journal without its list',
    (home) => mkdirSync(join(home, '.change'), { mode: 0o700 }),
    /plan\.json, the list of a half-made change, is empty/,
    /^mv .*change\.damaged$/,
  ],
  [
    'a journal that would move other things',
    (home) => {
      mkdirSync(join(home, '.undo'), { mode: 0o700 });
      writeFileSync(
        join(home, '.undo/plan.json'),
        JSON.stringify({ entries: [{ path: 'hosts/../../x', put: true, had: true }], directories: [] }),
      );
    },
    /is not ours/,
    /^mv /,
  ],
];

describe('a damaged store', () => {
  test.each(damages)('%s is named with what to do, and left as it is', async (_what, harm, message, hint) => {
    const home = await filled();
    harm(home);
    const before = picture(home);
    const error = await openStore(home)
      .read()
      .catch((caught) => caught);
    expect(error).toMatchObject({ code: 'E_STORE_DAMAGED', exit: 2, where: home });
    expect(error.message).toMatch(message);
    expect(
      error.hints.some((each: string) => hint.test(each)),
      error.hints.join('\n'),
    ).toBe(true);
    expect(`${error.message} ${error.hints} ${error.details}`).not.toMatch(/PRIVATE|hello/);
    expect(picture(home)).toEqual(before);
  });

  test('is told all at once', async () => {
    const home = await filled();
    replace(join(home, 'hosts/web/host.json'), '');
    rmSync(join(home, 'clients/anna/ca.pem'));
    replace(join(home, 'ca/ca.json'), '[]');
    const error = await openStore(home)
      .read()
      .catch((caught) => caught);
    expect(error.message).toBe('3 things in the store are damaged');
    expect(error.details).toEqual([
      `${home}/ca/ca.json does not hold a JSON object`,
      `${home}/hosts/web/host.json is empty`,
      `${home}/clients/anna/ca.pem is missing`,
    ]);
  });

  test('is fixed by the hints', async () => {
    const home = await filled();
    replace(join(home, 'hosts/web/host.json'), '');
    rmSync(join(home, 'store.json'));
    for (let round = 0; round < 3; round++) {
      const error = await openStore(home)
        .read()
        .catch((caught) => caught);
      for (const hint of error.hints ?? []) if (/^(?:mv|\(umask)/.test(hint)) execFileSync('sh', ['-c', hint]);
    }
    const state = await openStore(home).read();
    expect([state.hosts.size, state.clients.size, state.ca?.record.name]).toEqual([0, 1, 'ca-0']);
  });

  test('of a newer program is not judged', async () => {
    const home = await filled();
    replace(join(home, 'store.json'), '{"schema":2,"layout":"new"}');
    replace(join(home, 'hosts/web/host.json'), 'another format');
    const expected = { code: 'E_STORE_SCHEMA', exit: 2, message: expect.stringContaining('schema 2') };
    await expect(openStore(home).read()).rejects.toMatchObject(expected);
    await expect(openStore(home).withLock('test', async () => 1)).rejects.toMatchObject(expected);
    expect(readdirSync(home)).not.toContain('lock');
  });

  test('a home that is a file, or in a file', async () => {
    const home = newHome();
    writeFileSync(home, '');
    for (const path of [home, join(home, 'tls')]) {
      const expected = { code: 'E_STORE_DAMAGED', message: expect.stringContaining('is not a directory') };
      await expect(openStore(path).read()).rejects.toMatchObject(expected);
      await expect(openStore(path).exists()).rejects.toMatchObject(expected);
      await expect(openStore(path).withLock('test', async () => 1)).rejects.toMatchObject({ exit: expect.any(Number) });
    }
  });

  test('what a desktop leaves lying about is passed over', async () => {
    const home = await filled();
    for (const path of ['.DS_Store', 'hosts/.DS_Store', 'hosts/Thumbs.db', 'hosts/web/desktop.ini', 'notes.txt'])
      writeFileSync(join(home, path), 'x');
    mkdirSync(join(home, 'clients/.git'));
    expect((await openStore(home).read()).hosts.size).toBe(1);
  });
});

describe('modes and owners', () => {
  test('too open are named all at once, with the commands that fix them', async () => {
    const home = await filled();
    chmodSync(join(home, 'clients/anna/key.pem'), 0o440);
    chmodSync(join(home, 'hosts/web/server-key.pem'), 0o604);
    chmodSync(join(home, 'ca'), 0o770);
    chmodSync(join(home, 'hosts/web/ca.pem'), 0o464);
    chmodSync(join(home, 'store.json'), 0o666);
    const before = picture(home);
    const error = await openStore(home)
      .read()
      .catch((caught) => caught);
    expect(error).toMatchObject({
      code: 'E_STORE_MODES',
      exit: 2,
      message: '5 things in the store are not yours alone',
    });
    expect(error.details).toContain(`${home}/clients/anna/key.pem can be read by others (mode 0440)`);
    expect(error.details).toContain(`${home}/ca can be changed by others (mode 0770)`);
    expect(picture(home)).toEqual(before);
    for (const hint of error.hints) execFileSync('sh', ['-ec', hint]);
    expect((await openStore(home).read()).hosts.size).toBe(1);
  });

  test('too open on the outermost directory stop everything', async () => {
    const home = await filled();
    chmodSync(home, 0o777);
    const expected = { code: 'E_STORE_MODES', hints: [`chmod 0700 ${home}`] };
    await expect(openStore(home).read()).rejects.toMatchObject(expected);
    await expect(openStore(home).withLock('test', async () => 1)).rejects.toMatchObject(expected);
    expect(readdirSync(home)).not.toContain('lock');
  });

  test('that are narrower or merely readable directories are no problem', async () => {
    const home = await filled();
    chmodSync(join(home, 'hosts/web/ca.pem'), 0o400);
    chmodSync(join(home, 'hosts/web/host.json'), 0o644);
    chmodSync(home, 0o755);
    expect((await openStore(home).read()).hosts.size).toBe(1);
  });

  test.skipIf(!isRoot)('of others are named, and the command gives them back', async () => {
    const home = await filled();
    chownSync(join(home, 'clients/anna/key.pem'), NOBODY, NOBODY);
    lchownSync(join(home, 'hosts'), NOBODY, NOBODY);
    const error = await openStore(home)
      .read()
      .catch((caught) => caught);
    expect(error.code).toBe('E_STORE_MODES');
    expect(error.hints).toEqual([`sudo chown 0 ${home}/hosts ${home}/clients/anna/key.pem`]);
  });

  describe.skipIf(!isRoot)('for a user who is kept out', () => {
    let bundle = '';
    beforeAll(() => {
      bundle = bundleStore();
    });
    const READS = `
      const { openStore } = await import(process.argv[1]);
      const store = openStore(process.argv[2]);
      await store.read().then(() => console.log('read'), (error) => console.log(JSON.stringify({ code: error.code, message: error.message, hints: error.hints })));`;

    async function readAsNobody(harm: (home: string) => void) {
      const home = await filled();
      chmodSync(dirname(home), 0o755);
      execFileSync('chown', ['-R', String(NOBODY), home]);
      harm(home);
      const { stdout, stderr } = await runChild(READS, [bundle, home], { uid: NOBODY }).ended;
      expect(stderr).toBe('');
      return { home, ...JSON.parse(stdout) };
    }

    test.each<[string, (home: string) => void, (home: string) => object]>([
      [
        'a key of root',
        (home) => chownSync(join(home, 'clients/anna/key.pem'), 0, 0),
        (home) => ({ hints: [`sudo chown ${NOBODY} ${home}/clients/anna/key.pem`] }),
      ],
      [
        'a directory of root',
        (home) => chownSync(join(home, 'hosts'), 0, 0),
        (home) => ({ hints: [`sudo chown ${NOBODY} ${home}/hosts`] }),
      ],
      [
        'all of root',
        (home) => chownSync(home, 0, 0),
        (home) => ({ message: `${home} belongs to user 0, not to you (${NOBODY})` }),
      ],
      [
        'a key with no modes',
        (home) => chmodSync(join(home, 'clients/anna/key.pem'), 0),
        (home) => ({ hints: [`chmod u+rX ${home}/clients/anna/key.pem`] }),
      ],
      [
        'a directory with no modes',
        (home) => chmodSync(join(home, 'ca'), 0),
        (home) => ({ hints: [`chmod u+rX ${home}/ca`] }),
      ],
      [
        'a directory above that is closed',
        (home) => chmodSync(dirname(home), 0o700),
        (home) => ({ message: `${dirname(home)} belongs to user 0, not to you (${NOBODY})` }),
      ],
    ])('%s', async (_what, harm, expected) => {
      const { home, ...error } = await readAsNobody(harm);
      expect(error).toMatchObject({ code: 'E_STORE_MODES', ...expected(home) });
    });
  });
});

test('secrets do not show in what is read', async () => {
  const home = await filled();
  const state = await openStore(home).read();
  const { inspect } = await import('node:util');
  expect(inspect(state, { depth: 9 })).not.toContain('PRIVATE');
  expect(readFileSync(join(home, 'clients/anna/key.pem'), 'utf8')).toContain('PRIVATE');
});
