/** Modes and owners on both sides, and a watcher on both sides all through a setup: nothing is ever wider, no secret is in a process's words. */

import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
let host: LabHost;
let person: Person;
let watched: { modes: Map<string, Set<string>>; words: string };

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['modes-1'] })) as [LabHost];
  person = newPerson(program, [host]);
  // A daemon.json that no other user may read, and a container that has to be protected by it for a moment.
  await host.container('web');
  await host.must(`umask 077; printf '{ "labels": ["token=x"] }' >/etc/docker/daemon.json`);
  watched = await watch(() => person.run(person.setup(host, ['--context', host.name, '--config-directory'])));
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

/**
 * Looks, as often as it can, at every file that holds or may come to hold a key, here and in the host's tree (which is seen from here), and
 * at the arguments and environment of every process, those of the host included: its processes are this kernel's too.
 */
async function watch(work: () => Promise<unknown>): Promise<typeof watched> {
  const modes = new Map<string, Set<string>>();
  const words = new Set<string>();
  const places = [
    person.home,
    ...['etc/docker', 'var/lib/docker-tls', 'tmp', 'run/docker-tls'].map((path) => join(host.root, path)),
  ];
  let going = true;
  const run = work().finally(() => {
    going = false;
  });
  while (going) {
    for (const place of places) look(place, modes);
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      for (const file of ['cmdline', 'environ']) {
        try {
          words.add(readFileSync(`/proc/${pid}/${file}`, 'latin1'));
        } catch {
          // It has ended, or is a process of the kernel.
        }
      }
    }
    await wait(1);
  }
  await run;
  return { modes, words: [...words].join('\n') };
}

function look(path: string, modes: Map<string, Set<string>>): void {
  try {
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) return;
    const seen = modes.get(path) ?? new Set();
    seen.add((stat.mode & 0o777).toString(8).padStart(4, '0'));
    modes.set(path, seen);
    if (stat.isDirectory()) for (const name of readdirSync(path)) look(join(path, name), modes);
  } catch {
    // Gone while we looked.
  }
}

/** Files below a directory of which the name is one of these, with their mode. */
function modesOf(directory: string, names: RegExp): Record<string, string> {
  const found = new Map<string, Set<string>>();
  look(directory, found);
  return Object.fromEntries(
    [...found]
      .filter(([path]) => names.test(path.split('/').at(-1) ?? ''))
      .map(([path, modes]) => [path.slice(directory.length + 1), [...modes].join()]),
  );
}

test('here: keys 0400, certificates 0444, directories 0700', () => {
  const keys = modesOf(person.store, /key\.pem$/);
  expect(Object.keys(keys)).toHaveLength(4);
  expect(new Set(Object.values(keys))).toEqual(new Set(['0400']));
  const certificates = modesOf(person.store, /^(ca|cert|server-cert)\.pem$/);
  expect(Object.keys(certificates).length).toBeGreaterThan(4);
  expect(new Set(Object.values(certificates))).toEqual(new Set(['0444']));
  const directories = [
    person.store,
    ...['ca', 'clients/laptop', `hosts/${host.name}`].map((path) => join(person.store, path)),
  ];
  for (const directory of directories) expect((lstatSync(directory).mode & 0o777).toString(8)).toBe('700');
  expect(modesOf(join(person.home, '.docker'), /^key\.pem$/)['key.pem']).toBe('0400');
});

test('on the host: keys 0400, certificates 0444, directories 0700, all of root', async () => {
  const listing = await host.must('cd /etc/docker/tls && stat -c "%a %U:%G %n" current/ current/* | sort -k 3');
  expect(listing.split('\n')).toEqual([
    '700 root:root current/',
    '444 root:root current/ca.pem',
    '444 root:root current/server-cert.pem',
    '400 root:root current/server-key.pem',
  ]);
});

test('at no moment was a key readable by others, or its directory', () => {
  const keys = [...watched.modes].filter(
    ([path]) => /key/.test(path.split('/').at(-1) ?? '') && !path.includes('/.ssh'),
  );
  expect(keys.length).toBeGreaterThan(4);
  for (const [path, modes] of keys) for (const mode of modes) expect(`${path} ${mode}`).toMatch(/ 0[0-7]00$/);
  const directories = [...watched.modes].filter(([path]) =>
    /\/(etc\/docker\/tls\/\d+|var\/lib\/docker-tls|\.docker\/tls)$/.test(path),
  );
  expect(directories.length).toBeGreaterThan(1);
  for (const [path, modes] of directories) expect([path, ...modes]).toEqual([path, '0700']);
});

test('at no moment was daemon.json more open than it is', () => {
  const seen = [...watched.modes].filter(([path]) => path.includes('/etc/docker/daemon.json'));
  expect(seen.map(([path]) => path.split('.docker-tls-')[1])).toEqual(
    expect.arrayContaining([undefined, 'old-on', 'new-off']),
  );
  for (const [path, modes] of seen) expect([path, ...modes]).toEqual([path, '0600']);
});

test('no secret was in the arguments or the environment of a process', () => {
  // The watcher does see such words: those of the program itself are there.
  expect(watched.words).toContain('--no-ca-passphrase');
  const files = [...watched.modes.keys()].filter((path) => path.startsWith(person.store) && /key\.pem$/.test(path));
  let keys = 0;
  for (const file of files) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      continue; // a draft that has been renamed since
    }
    keys += 1;
    for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('-----')))
      if (line.length > 20) expect(watched.words.includes(line)).toBe(false);
    const body = text.replace(/-----.*-----|\n/g, '');
    expect(watched.words.includes(body)).toBe(false);
    expect(watched.words.includes(Buffer.from(text).toString('base64').slice(0, 60))).toBe(false);
  }
  expect(keys).toBeGreaterThan(3);
  // A header, not the pattern that the facts of an audit search for: `-----BEGIN [A-Z ]*PRIVATE KEY-----`.
  expect(watched.words).not.toMatch(/-----BEGIN ([A-Z]+ )*PRIVATE KEY-----/);
});

test('a directory that another account may write is refused: it could hand root another rollback', async () => {
  expect(await person.run(['remove', host.name, '--yes'])).toMatchObject({ status: 0 });
  for (const make of [
    'chown daemon: /var/lib/docker-tls',
    'chown root: /var/lib/docker-tls; chmod 777 /var/lib/docker-tls',
  ]) {
    await host.must(`mkdir -p /var/lib/docker-tls; ${make}`);
    const before = await host.must('stat -c "%a %U %Z" /var/lib/docker-tls');
    const refused = await person.run(person.setup(host));
    expect(refused).toMatchObject({ status: 4 });
    expect(refused.err).toContain('error[E_STATE_DIRECTORY]');
    expect(await host.must('stat -c "%a %U %Z" /var/lib/docker-tls')).toBe(before);
  }
  await host.must('chmod go-w /var/lib/docker-tls');
  expect(await person.run(person.setup(host))).toMatchObject({ status: 0 });
});
