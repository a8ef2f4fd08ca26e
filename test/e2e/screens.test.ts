/** What a terminal of 80x24 and one of 120x40 show: nothing is wider, tables stay aligned, and what belongs on one screen fits. */

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS, commandGroups } from '../../src/cli/commands.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';
import { KEYS } from '../support/terminal.ts';

let program: Program;
let host: LabHost;
let person: Person;

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['screens-1'] })) as [LabHost];
  person = newPerson(program, [host]);
  expect(await person.run(person.setup(host))).toMatchObject({ status: 0 });
  expect(await person.run(['client', 'add', 'ci', '--yes'])).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

/** A line that is there to be pasted stays whole: the terminal itself breaks it. */
const COMMAND = /^\s*(?:hint: .*)?(?:docker-tls|docker|ssh|sudo|systemctl) /;

function tooWide(screen: string, columns: number): string[] {
  return screen.split('\n').filter((line) => line.length > columns && !COMMAND.test(line));
}

/** The cells of a row that begin at another column than their title; `title`: the first words of the table. */
function crooked(screen: string, title: RegExp): string[] {
  const lines = screen.split('\n');
  const at = lines.findIndex((line) => title.test(line));
  const head = lines[at] ?? '';
  const starts = [...head.matchAll(/(?<=^| {2})\S/g)].map(({ index }) => index).filter((index) => index > 1);
  const rows = lines.slice(at + 1);
  const end = rows.indexOf('');
  expect(starts.length, screen).toBeGreaterThan(1);
  return (end < 0 ? rows : rows.slice(0, end)).filter((row) =>
    starts.some((start) => row.padEnd(start)[start - 1] !== ' '),
  );
}

describe.each([
  [80, 24],
  [120, 40],
])('%d columns, %d rows', (columns, rows) => {
  async function shown(argv: readonly string[], status = 0): Promise<string> {
    const terminal = person.terminal(argv, { columns, rows });
    expect({ status: await terminal.ended, screen: terminal.screen() }).toMatchObject({ status });
    expect(tooWide(terminal.screen(), columns)).toEqual([]);
    return terminal.screen();
  }

  test('help: the first page and each group fit on 30 lines', async () => {
    for (const argv of [[], ...commandGroups(COMMANDS).map(({ name }) => ['help', name])])
      expect([argv, (await shown(argv)).split('\n').length <= 30]).toEqual([argv, true]);
  });

  test('status, verify, client list', async () => {
    expect(crooked(await shown(['status']), /NAME +/)).toEqual([]);
    expect(await shown(['status', host.name])).toContain('laptop');
    expect(await shown(['verify', host.name])).toContain('no certificate: rejected');
    expect(crooked(await shown(['client', 'list']), /^CLIENT/)).toEqual([]);
  });

  test('audit and harden --list', async () => {
    expect(await shown(['audit', host.name])).toContain(host.name);
    expect(crooked(await shown(['harden', '--list']), /NAME|FIX/i)).toEqual([]);
    expect(await shown(['harden', host.name, '--dry-run'])).toContain('sshd');
  });

  test('failures', async () => {
    expect(await shown(['env', 'no-such-host'], 2)).toContain('error[');
    expect(await shown(['plan', 'root@127.0.0.1:1'], 4)).toContain('error[E_SSH_REFUSED]');
    expect(await shown(['rotate'], 2)).toContain('docker-tls rotate');
  });

  test('the wizard', async () => {
    const other = newPerson(program);
    const argv = ['setup', '--ssh-config', join(other.home, '.ssh/config'), '-i', host.keyFile];
    const terminal = other.terminal(argv, { columns, rows });
    await terminal.answer('Host:', `root@${host.address}:2223${KEYS.enter}`);
    await terminal.see(/nothing listens on \S+:2223/);
    await terminal.answer('Host:', `root@${host.address}${KEYS.enter}`);
    await terminal.answer('Is that its key? (y/N)', `y${KEYS.enter}`);
    await terminal.answer('Take it over? (y/N)', `y${KEYS.enter}`);
    await terminal.answer('Make these changes? (y: yes, e: edit, Enter: no)', `e${KEYS.enter}`);
    for (const question of ['Name:', 'Address:', 'Further names', 'Client:', 'Docker context:', 'Begin a fleet file'])
      await terminal.answer(question, KEYS.enter);
    await terminal.answer('Make these changes? (y: yes, e: edit, Enter: no)', KEYS.enter);
    expect(await terminal.ended).toBe(130);
    expect(tooWide(terminal.screen(), columns)).toEqual([]);
    other.remove();
  });
});
