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

type Damage = readonly [what: string, harm: (home: string) => void, message: unknown, hint: unknown];

const damages: readonly Damage[] = [
  [
    'an empty store.json',
    (home) => replace(join(home, 'store.json'), ''),
    expect.stringMatching(/store\.json is empty/),
    expect.stringMatching(/schema/),
  ],
  [
    'a lost store.json',
    (home) => rmSync(join(home, 'store.json')),
    expect.stringMatching(/store\.json is missing/),
    expect.stringMatching(/echo '\{"schema":1\}' > /),
  ],
  [
    'a store.json of something else',
    (home) => replace(join(home, 'store.json'), '{"schema":"a"}'),
    expect.stringMatching(/names no schema/),
    expect.stringMatching(/schema/),
  ],
  [
    'a cut host.json',
    (home) => replace(join(home, 'hosts/web/host.json'), '{"name": "web"'),
    expect.stringMatching(/hosts\/web\/host\.json is not JSON/),
    expect.stringMatching(/^docker-tls setup USER@HOST --name web$/),
  ],
  [
    'a host.json with wrong values',
    (home) => replace(join(home, 'hosts/web/host.json'), '{"name":"web"}'),
    expect.stringMatching(/ssh is missing, address is missing/),
    expect.stringMatching(/^mv .*hosts\/web .*hosts-web\.damaged$/),
  ],
  [
    'a lost server certificate',
    (home) => rmSync(join(home, 'hosts/web/server-cert.pem')),
    expect.stringMatching(/server-cert\.pem is missing/),
    expect.stringMatching(/^docker-tls setup USER@HOST --name web$/),
  ],
  [
    'a directory that was copied',
    (home) => cpSync(join(home, 'hosts/web'), join(home, 'hosts/web2'), { recursive: true }),
    expect.toSay('record-not', 'web', 'web2'),
    expect.stringMatching(/^mv /),
  ],
  [
    'an empty directory of a host',
    (home) => mkdirSync(join(home, 'hosts/half'), { mode: 0o700 }),
    expect.stringMatching(/3 things/),
    expect.stringMatching(/half/),
  ],
  [
    'a directory with a strange name',
    (home) => mkdirSync(join(home, 'hosts/web copy')),
    expect.toSay('we-do-not-give'),
    expect.stringMatching(/^mv '/),
  ],
  [
    'a key that is none',
    (home) => replace(join(home, 'clients/anna/key.pem'), 'hello'),
    expect.toSay('holds-no-private-key', 'clients/anna/key.pem'),
    expect.stringMatching(/^docker-tls client add anna$/),
  ],
  [
    'a cut certificate',
    (home) => replace(join(home, 'clients/anna/cert.pem'), CREDENTIALS[0].cert.slice(0, 300)),
    expect.stringMatching(/cert\.pem holds no certificate/),
    expect.stringMatching(/anna/),
  ],
  [
    'a lost CA certificate',
    (home) => rmSync(join(home, 'ca/ca.pem')),
    expect.stringMatching(/ca\/ca\.pem is missing/),
    expect.stringMatching(/^docker-tls ca create$/),
  ],
  [
    'a lost CA record',
    (home) => rmSync(join(home, 'ca/ca.json')),
    expect.stringMatching(/ca\/ca\.json is missing/),
    expect.stringMatching(/restore .* from a backup/),
  ],
  [
    'a CA key that is none',
    (home) => replace(join(home, 'ca/ca-key.pem'), CREDENTIALS[0].cert),
    expect.toSay('pem-holds-no-private'),
    expect.stringMatching(/backup/),
  ],
  [
    'a lost issuing CA',
    (home) => rmSync(join(home, 'ca/issuers/anna/ca.pem')),
    expect.stringMatching(/issuers\/anna\/ca\.pem is missing/),
    expect.stringMatching(/client add anna/),
  ],
  [
    'an old CA in the wrong directory',
    (home) => renameSync(join(home, 'ca/old', readdirSync(join(home, 'ca/old'))[0] ?? ''), join(home, 'ca/old/AB')),
    expect.stringMatching(/ca\/old\/AB\/ca\.pem is the CA [0-9A-F]{40}/),
    expect.stringMatching(/^mv \S+\/AB \S+\/[0-9A-F]{40}$/),
  ],
  [
    'a link for a key',
    (home) => {
      rmSync(join(home, 'clients/anna/key.pem'));
      symlinkSync('/etc/hostname', join(home, 'clients/anna/key.pem'));
    },
    expect.toSay('key-pem-link-where'),
    expect.stringMatching(/mv/),
  ],
  [
    'a link for a key that leads nowhere',
    (home) => {
      rmSync(join(home, 'clients/anna/key.pem'));
      symlinkSync('/nowhere', join(home, 'clients/anna/key.pem'));
    },
    expect.stringMatching(/is a link/),
    expect.stringMatching(/mv/),
  ],
  [
    'a link for a directory',
    (home) => {
      renameSync(join(home, 'hosts/web'), `${home}.web`);
      symlinkSync(`${home}.web`, join(home, 'hosts/web'));
    },
    expect.stringMatching(/hosts\/web is a link/),
    expect.stringMatching(/^mv /),
  ],
  [
    'a link for all hosts',
    (home) => {
      renameSync(join(home, 'hosts'), `${home}.hosts`);
      symlinkSync(`${home}.hosts`, join(home, 'hosts'));
    },
    expect.toSay('hosts-link-not-directory'),
    expect.stringMatching(/^mv /),
  ],
  [
    'a file for a directory',
    (home) => {
      rmSync(join(home, 'clients'), { recursive: true });
      writeFileSync(join(home, 'clients'), '');
    },
    expect.toSay('clients-not-directory'),
    expect.stringMatching(/^mv /),
  ],
  [
    'a directory for a file',
    (home) => {
      rmSync(join(home, 'clients/anna/cert.pem'));
      mkdirSync(join(home, 'clients/anna/cert.pem'));
    },
    expect.toSay('cert-pem-not-file'),
    expect.stringMatching(/mv/),
  ],
  [
    'a pipe for a file',
    (home) => {
      rmSync(join(home, 'clients/anna/key.pem'));
      execFileSync('mkfifo', ['-m', '400', join(home, 'clients/anna/key.pem')]);
    },
    expect.toSay('key-pem-not-file'),
    expect.stringMatching(/mv/),
  ],
  [
    'a file of 2 MiB',
    (home) => replace(join(home, 'hosts/web/ca.pem'), 'x'.repeat(2 ** 21)),
    expect.toSay('far-too-large'),
    expect.stringMatching(/mv/),
  ],
  [
    'a journal without its list',
    (home) => mkdirSync(join(home, '.change'), { mode: 0o700 }),
    expect.toSay('plan-json-list-half-made'),
    expect.stringMatching(/^mv .*change\.damaged$/),
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
    expect.stringMatching(/is not ours/),
    expect.stringMatching(/^mv /),
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
    expect(error.message).toEqual(message);
    expect(error.hints).toContainEqual(hint);
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
    expect(error.message).toSay('things-store-damaged', '3');
    expect(error.details).toEqual([
      expect.toSay('does-not-hold-json', home, '/ca/ca.json'),
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
      message: expect.toSay('things-store-not-yours', '5'),
    });
    expect(error.details).toSay('can-read-others-mode', home, '/clients/anna/key.pem', '0440');
    expect(error.details).toSay('can-changed-others-mode', home, '/ca', '0770');
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
