/** The live lines in tmux, which breaks lines at its new width a quarter of a second before it tells the width. */

import { execFileSync, spawnSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

const SOCKET = `docker-tls-${process.pid}`;
const SPINNER = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;
let program: Program;
let hosts: LabHost[];
let person: Person;

const tmux = (...words: string[]): string => execFileSync('tmux', ['-L', SOCKET, ...words], { encoding: 'utf8' });
/** The screen and what scrolled away. */
const screen = (): string => tmux('capture-pane', '-p', '-S', '-1000').replace(/\n\s*(?=\n|$)/g, '');

beforeAll(async () => {
  const missing = execFileSync('sh', ['-c', 'command -v tmux || echo missing'], { encoding: 'utf8' }).includes(
    'missing',
  );
  if (missing)
    execFileSync('apt-get', ['-qq', 'install', '-y', '--no-install-recommends', 'tmux'], { stdio: 'ignore' });
  program = buildProgram();
  hosts = await labUp({ names: ['tmux-1', 'tmux-2'] });
  person = newPerson(program, hosts);
});
afterAll(async () => {
  tmux('kill-server');
  for (const host of hosts ?? []) await host.down();
  person?.remove();
  program?.remove();
});

async function until(seen: () => boolean): Promise<void> {
  for (let tries = 0; !seen(); tries += 1) {
    if (tries > 600) throw new Error(screen());
    await wait(100);
  }
}

test('clear, Ctrl-L and other sizes leave no line of a run behind', async () => {
  // They take connections and say nothing, so the run takes until its time is over.
  for (const host of hosts) await host.must('systemctl kill -s STOP ssh.service');
  const words = [...program.command, 'audit', ...hosts.map(({ address }) => `root@${address}`)];
  const env = Object.entries(person.env).filter(([name]) => name !== 'TERM');
  const command = ['env', '-i', ...env.map(([name, value]) => `${name}=${value}`), 'TERM=tmux-256color', ...words]
    .map((word) => `'${word}'`)
    .join(' ');
  // Of a try before.
  spawnSync('tmux', ['-L', SOCKET, 'kill-server']);
  tmux(
    '-f',
    '/dev/null',
    'new-session',
    '-d',
    '-x',
    '100',
    '-y',
    '30',
    `seq 9; ${command}; echo "the end"; sleep 1000`,
  );
  const working = () =>
    screen()
      .split('\n')
      .filter((line) => SPINNER.test(line));
  await until(() => working().length === 2);
  await wait(1500); // with seconds, so that a line is wider
  // Not at the top of the screen: there, tmux itself moves lines that it breaks into its history.
  for (const width of ['30', '100', '24', '100']) {
    tmux('resize-window', '-x', width, '-y', width === '24' ? '12' : '30');
    await wait(600);
    expect([width, working().length]).toEqual([width, 2]);
  }
  // As a mouse drags it. On a busy machine a row may stay behind, until the screen is cleared.
  for (let width = 96; width >= 24; width -= 4) {
    tmux('resize-window', '-x', String(width), '-y', '30');
    await wait(40);
  }
  await wait(600);
  expect(working().length).toBeLessThanOrEqual(3);
  tmux('resize-window', '-x', '100', '-y', '30');
  tmux('send-keys', 'C-l');
  await wait(300);
  expect(working().length).toBeLessThanOrEqual(3);
  tmux('send-keys', '-R');
  tmux('clear-history');
  await wait(300);
  expect(working()).toHaveLength(2);
  await until(() => screen().includes('the end'));
  expect(screen()).not.toMatch(SPINNER);
});
