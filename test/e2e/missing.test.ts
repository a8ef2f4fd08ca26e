/** What a host lacks or has mounted in an odd way: named before anything changes, with the command that helps. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, type LabUser, labUp } from '../support/lab.ts';
import { newPerson, type Person, snapshotHost } from '../support/person.ts';

let program: Program;
let host: LabHost;
let person: Person;

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['missing-1'] })) as [LabHost];
  person = newPerson(program, [host]);
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

const away = (path: string): [string, string] => [`mv ${path} ${path}.away`, `mv ${path}.away ${path}`];

test.each<[string, readonly [string, string], RegExp, LabUser?]>([
  ['od', away('/usr/bin/od'), /E_HOST_PROGRAM.* has no od\n.* apt-get install -y --reinstall coreutils\n/],
  ['systemd-run', away('/usr/bin/systemd-run'), /E_HOST_PROGRAM.* has no systemd-run\n.* --reinstall systemd\n/],
  ['cmp', away('/usr/bin/cmp'), /E_HOST_PROGRAM.* has no cmp\n.* --reinstall diffutils\n/],
  ['sudo', away('/usr/bin/sudo'), /E_SUDO_MISSING.*\n[\s\S]*as root: apt-get install -y --reinstall sudo\n/, 'ops'],
  [
    'a writable /etc',
    ['mount --bind /etc /etc && mount -o remount,ro,bind /etc', 'umount /etc'],
    /E_READ_ONLY.* \/etc is mounted read-only, and \/etc\/.* has to be written\n[\s\S]*mount -o remount,rw \/etc\n/,
  ],
])('without %s', async (_name, [take, give], words, user) => {
  const before = await snapshotHost(host);
  await host.must(take);
  try {
    const run = await person.run(person.setup(host, [], user));
    expect(run, run.err).toMatchObject({ status: 4 });
    expect(run.err).toMatch(words);
  } finally {
    await host.must(give);
  }
  expect(await snapshotHost(host)).toBe(before);
});
