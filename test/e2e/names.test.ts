/** One host, one name: a second name is refused with the known one, and every command that the error prints works; a host that is gone can be dropped. */

import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labClient, labUp } from '../support/lab.ts';
import { newPerson, type Person, snapshotHost } from '../support/person.ts';

let program: Program;
let host: LabHost;
let person: Person;

/** A store with one host, `web`, that accepts bob by that name, and an ssh alias that leads there too. Each test leaves it so. */
beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['names-1'] })) as [LabHost];
  person = newPerson(program, [host]);
  const alias = `Host side-door\n  HostName ${host.address}\n  HostKeyAlias ${host.address}\n  User root\n  IdentityFile ${host.keyFile}\n`;
  appendFileSync(join(person.home, '.ssh/config'), alias);
  expect(await person.run(setUp())).toMatchObject({ status: 0 });
  expect(await person.run(['client', 'add', 'bob', '--hosts', 'web', '--yes'])).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

/** Also for the host that the store has at another address meanwhile. */
const setUp = () => person.setup(host, ['--name', 'web', '--context', 'web', '--address', host.address]);
const config = () => ['--ssh-config', join(person.home, '.ssh/config')];

/** The command of the hint that begins with some words. */
function printed(err: string, words: string): string[] {
  const line = err.split('\n').find((one) => one.includes(`hint: ${words}`));
  return (line?.split(': docker-tls ')[1] ?? `no hint "${words}" in ${err}`).split(' ');
}

describe('a second name', () => {
  const fleet = () => {
    writeFileSync(join(person.home, 'fleet.yaml'), 'version: 1\nhosts:\n  box: { ssh: side-door }\n');
    return ['-f', 'fleet.yaml', ...config()];
  };
  test.each([
    ['plan', () => ['plan', 'side-door', ...config()]],
    ['setup', () => ['setup', 'side-door', '--name', 'box', '--yes', ...config()]],
    ['apply', () => ['apply', 'side-door', '--yes', ...config()]],
    ['plan of a fleet file', () => ['plan', ...fleet()]],
    ['apply of a fleet file', () => ['apply', '--yes', ...fleet()]],
    ['setup with --take-over', () => ['setup', 'side-door', '--yes', '--take-over', ...config()]],
  ])('%s refuses it, and nothing is changed', async (_, argv) => {
    const words = argv();
    const before = { host: await snapshotHost(host), home: person.snapshot() };
    const run = await person.run(words);
    expect(run.status).toBe(4);
    expect(run.err).toContain('E_HOST_TWO_NAMES');
    expect(run.err).toSay('already-store', 'web');
    expect({ host: await snapshotHost(host), home: person.snapshot() }).toEqual(before);
  });

  test('the wizard refuses it before it asks for a name', async () => {
    const terminal = person.terminal(['setup', 'side-door', ...config()]);
    expect(await terminal.ended).toBe(4);
    expect(terminal.screen()).toContain('E_HOST_TWO_NAMES');
    expect(terminal.screen()).not.toContain('Name:');
  });

  test('the commands that it prints work: its own name, another name, another address', async () => {
    onTestFinished(async () => {
      expect(await person.run(setUp())).toMatchObject({ status: 0 });
    });
    const { err } = await person.run(['plan', 'side-door', ...config()]);
    expect(await person.run([...printed(err, 'use the name it has'), '--yes'])).toMatchObject({ status: 0 });
    expect(await person.run([...printed(err, 'or, if it has moved here'), '--yes'])).toMatchObject({ status: 0 });
    expect(await person.run(printed(err, 'or rename it'))).toMatchObject({ status: 0 });
    expect(await person.run(['plan', '--check', 'side-door'])).toMatchObject({ status: 0 });
    expect(await person.run(['verify', 'side-door', '--client', 'bob'])).toMatchObject({ status: 0 });
    expect(await person.call(await labClient(), ['--context', 'web', 'ps'])).toMatchObject({ status: 0 });
    expect(await person.run(['rename', 'side-door', 'web'])).toMatchObject({ status: 0 });
  });
});

test('a host that is gone: remove names forget, and after it status, verify and client add are green', async () => {
  const [gone] = (await labUp({ names: ['names-gone'] })) as [LabHost];
  const joined = await person.run(person.setup(gone, ['--context', 'old', '--host-key', 'accept-new']));
  expect(joined).toMatchObject({ status: 0 });
  await gone.down();
  const removed = await person.run(['remove', gone.name, '--yes']);
  expect(removed.status).toBe(4);
  const forget = printed(removed.err, 'if the host no longer exists');
  const dry = await person.run([...forget, '--dry-run', '--json']);
  expect(JSON.parse(dry.out).result.hosts).toEqual([
    { host: gone.name, address: gone.address, clients: ['laptop'], contexts: ['old'] },
  ]);
  expect(await person.run(forget)).toMatchObject({ status: 2 });
  expect((await person.run(['status', '--check'])).status).not.toBe(0);

  const done = await person.run([...forget, '--yes']);
  expect(done.status).toBe(0);
  expect(done.out).toSay('still-runs-still-accepts', 'laptop');
  expect(done.out).toContain('the docker context old');
  for (const argv of [['status', '--check'], ['verify'], ['client', 'add', 'eve', '--yes'], ['plan', '--check']])
    expect({ argv, run: await person.run(argv) }).toMatchObject({ run: { status: 0 } });
  expect((await person.call(await labClient(), ['context', 'ls', '-q'])).out).not.toContain('old');
});
