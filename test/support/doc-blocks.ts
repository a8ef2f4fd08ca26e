/** Blocks of commands in the docs, the shell that runs them as a reader would, and the comparison with the output that is shown. */

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Program } from './cli.ts';
import type { Person } from './person.ts';
import { KEYS, openTerminal } from './terminal.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

export type Block = {
  /** `PAGE:LINE` */
  readonly at: string;
  readonly text: string;
  /** Output is shown below the commands, which begin with `$ `. */
  readonly session: boolean;
  /** It is the content of a file, which the text above it names first, in backquotes. */
  readonly file?: string;
  /** Why it is not run, from a comment above it: `<!-- not run: REASON -->`. One at the top of a page, before its title, is for the page. */
  readonly mark: string | undefined;
};

/** First words of blocks that are commands; other indented blocks are text. */
const PROGRAMS = new RegExp(
  `^(?:sudo )?(?:\\(|(?:${[
    ...[
      'ansible-inventory',
      'apt-get',
      'cp',
      'curl',
      'docker',
      'docker-tls',
      'echo',
      'etcdctl',
      'eval',
      'export',
      'git',
    ],
    ...['install', 'mkdir', 'node', 'npm', 'npx', 'printf', 'rm', 'scripts/\\S+', 'ssh-keygen', 'step', 'systemctl'],
    ...['tar', 'umask', 'vault'],
  ].join('|')})(?= |$))`,
);

const MARK = /^<!-- not run: (.+) -->$/;

/** The blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n');
  const title = lines.findIndex((line) => line.startsWith('# '));
  const ofPage = lines.slice(0, title).flatMap((line) => MARK.exec(line)?.[1] ?? [])[0];
  const blocks: Block[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const fence = /^( *)```(\w*)$/.exec(lines[index] as string);
    const indented =
      /^ {4}/.test(lines[index] as string) && !/\S/.test(lines[index - 1]?.replace(/^<!--.*-->$/, '') ?? '');
    if (fence === null && !indented) continue;
    const from = index;
    const body: string[] = [];
    if (fence !== null)
      for (index += 1; !/^ *```$/.test(lines[index] ?? '```'); index += 1) body.push(lines[index] as string);
    else
      for (
        ;
        /^ {4}/.test(lines[index] ?? '') || (lines[index] === '' && /^ {4}/.test(lines[index + 1] ?? ''));
        index += 1
      )
        body.push((lines[index] as string).slice(4));
    const named =
      fence === null
        ? undefined
        : /^`([\w.-]+\.ya?ml)`/.exec(lines.slice(0, from).findLast((line) => line !== '') ?? '')?.[1];
    if (named !== undefined)
      blocks.push({ at: `${page}:${from + 1}`, text: body.join('\n'), session: false, file: named, mark: undefined });
    const isShell =
      fence === null ? body.some((line) => PROGRAMS.test(line.trim())) : /^(?:sh|console)$/.test(fence[2] as string);
    if (!isShell) continue;
    const above = lines[from - 1] === '' ? lines[from - 2] : lines[from - 1];
    const mark = MARK.exec(above ?? '')?.[1] ?? ofPage;
    blocks.push({ at: `${page}:${from + 1}`, text: body.join('\n'), session: fence?.[2] === 'console', mark });
  }
  return blocks;
}

/** A command of a block with the output that is shown for it. */
export type Shown = { readonly command: string; readonly output: readonly string[] };

export function sessionOf({ text }: Block): Shown[] {
  const shown: { command: string; output: string[] }[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('$ ')) shown.push({ command: line.slice(2), output: [] });
    else if (line !== '') shown.at(-1)?.output.push(line);
  }
  return shown;
}

/** What stays of a line when values are taken out: numbers, addresses, fingerprints. */
function shapeOf(line: string): string {
  return line
    .replace(/SHA256:[\w+/=]+/g, 'SHA256:0')
    .replace(/\d+(?:[.:-]\d+)*/g, '0')
    .trim();
}

/** A shown line as an expression: `…` stands for any text. */
function expected(line: string): RegExp {
  const parts = shapeOf(line).split('…');
  return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
}

/** Why the output is not as shown, in order. A line `…` stands for any lines; without one, none may be left out, but for progress. */
export function difference(shown: readonly string[], output: string): string | undefined {
  const real = output
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('✔'))
    .map(shapeOf);
  let at = 0;
  for (const line of shown.filter((one) => one.trim() !== '…')) {
    const found = real.findIndex((one, index) => index >= at && expected(line).test(one));
    if (found < 0) return `not in the output: ${line}\n${output}`;
    at = found + 1;
  }
  const whole = !shown.some((line) => line.trim() === '…');
  return whole && real.length > shown.length ? `more lines than shown:\n${output}` : undefined;
}

export const PASSPHRASE = 'orbit-walnut-canyon-42';

/** Questions in the order in which they are looked for, and what a reader answers. */
const ANSWERS: readonly (readonly [RegExp, string])[] = [
  [/Make these changes\? \([^)]*\)/, 'y'],
  [/(?:The same again|assphrase of the (?:present )?CA\b.*):/, PASSPHRASE],
  // A long question goes on in the next line.
  [/\? [^\n]*(?:\n {2}[^\n]*)?\((?:y\/N|Y\/n|y: yes[^)]*)\)/, 'y'],
];

export type Shell = {
  /** Runs a script; resolves to its status and the terminal's text. Questions are answered. */
  run(script: string): Promise<{ readonly status: number; readonly screen: string }>;
};

/** A reader's shell: docker-tls and an ssh that reads the person's own configuration are in PATH. */
export function readersShell(program: Program, person: Person): Shell {
  const bin = join(person.home, 'bin');
  mkdirSync(bin);
  const wrap = (name: string, line: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  wrap('docker-tls', `exec ${program.command.map((word) => `'${word}'`).join(' ')} "$@"`);
  // ssh takes the home of the account, not HOME.
  wrap('ssh', `exec /usr/bin/ssh -F '${person.home}/.ssh/config' "$@"`);
  const env = { ...person.env, PATH: `${bin}:${person.env.PATH}`, NO_COLOR: '1', SHELL: '/bin/bash' };
  return {
    async run(script) {
      const terminal = openTerminal('bash', ['-ec', `${script}\nsleep 0.1`], {
        columns: 200,
        rows: 60,
        cwd: person.home,
        env,
      });
      let ended = false;
      const status = terminal.ended.finally(() => {
        ended = true;
      });
      const timer = setTimeout(() => terminal.kill(), 120_000);
      for (let from = 0; !ended; await wait(50)) {
        const rest = terminal.screen().slice(from);
        const hits = ANSWERS.flatMap(([question, answer]) => {
          const match = question.exec(rest);
          return match === null ? [] : [{ end: match.index + match[0].length, answer }];
        });
        const [first] = hits.sort((one, other) => one.end - other.end);
        if (first === undefined) continue;
        from += first.end;
        await wait(100);
        terminal.type(`${first.answer}${KEYS.enter}`);
      }
      clearTimeout(timer);
      return { status: await status, screen: terminal.screen() };
    },
  };
}
