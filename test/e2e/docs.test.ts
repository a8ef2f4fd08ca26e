/**
 * The blocks of commands in README and docs, in the order of each page, as a reader runs them: on real hosts, in a terminal, with answers to
 * its questions. What a page shows as output is compared. A block that is not run carries the reason.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type Block, blocksOf, differences, readersShell, type Shell, sessionOf } from '../support/doc-blocks.ts';
import { type LabHost, labClient, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

/** Page → what its reader did before the first block. */
const SCENES: Readonly<Record<string, string>> = {
  'README.md': 'echo "correct horse" > pw; echo words > pass; chmod 600 pw pass',
  'docs/start/one-server.md': '',
  'docs/start/team.md':
    'git init -q --bare ops.git; ssh-keygen -qt ed25519 -N "" -f .ssh/id_ed25519; ssh-keygen -qt ed25519 -N "" -f bob',
  'docs/start/auditor.md': 'ssh-keygen -qt ed25519 -N "" -f key; echo "ada@example.org $(cat key.pub)" > signers',
  'docs/start/bundle.md': '',
};

const pages = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('lists/'))
    .map((name) => `docs/${name}`),
];

let program: Program;
/** Those of the last page. */
let hosts: readonly LabHost[] = [];
let person: Person | undefined;
const ran: Block[] = [];

beforeAll(async () => {
  program = buildProgram();
  await labClient();
});
afterAll(async () => {
  for (const host of hosts) await host.down();
  person?.remove();
  program?.remove();
});

/** Fresh hosts, and a reader who calls them build-1 and build-2 as the pages do. */
async function begin(page: string): Promise<Shell> {
  const names = ['build-1', 'build-2'].filter((name) => readFileSync(join(ROOT, page), 'utf8').includes(name));
  for (const host of hosts) await host.down();
  hosts = names.length === 0 ? [] : await labUp({ names: names.map((name) => `docs-${name}`) });
  person?.remove();
  person = newPerson(program, hosts);
  person.addSshConfig(
    hosts
      .map(({ address, keyFile }, index) =>
        [`Host ${names[index]} ${names[index]}.example.org`, `HostName ${address}`, `IdentityFile ${keyFile}`].join(
          '\n  ',
        ),
      )
      .join('\n'),
  );
  return readersShell(program, person);
}

/** Addresses of the pages that no lab has. */
const onLab = (text: string, { home }: Person): string =>
  text.replaceAll('git+ssh://git@git.example.org/ops/docker-tls.git', `git+file://${home}/ops.git`);

async function runBlock(shell: Shell, block: Block, reader: Person): Promise<string[]> {
  if (!block.session) {
    const { status, screen } = await shell.run(onLab(block.text, reader));
    return status === 0 ? [] : [`${block.at}: status ${status}\n${screen}`];
  }
  const end = '=== end of a command ===';
  const session = sessionOf(block);
  const script = session.map(({ command }) => `${onLab(command, reader)} || :\necho '${end}'`).join('\n');
  const { screen } = await shell.run(script);
  const outputs = screen.split(end);
  return session.flatMap(({ command, output }, index) =>
    differences(output, outputs[index] ?? '').map((line) => `${block.at}: ${command}: ${line}\n${outputs[index]}`),
  );
}

test.each(Object.entries(SCENES).filter(([page]) => pages.includes(page)))('the blocks of %s', async (page, before) => {
  const shell = await begin(page);
  expect((await shell.run(onLab(before, person as Person))).status).toBe(0);
  for (const block of blocksOf(page).filter(({ mark }) => mark === undefined)) {
    expect(await runBlock(shell, block, person as Person)).toEqual([]);
    ran.push(block);
  }
});

test('every other block says why it is not run', () => {
  const blocks = pages.flatMap(blocksOf);
  const marked = blocks.filter(({ mark }) => mark !== undefined);
  console.log(`${ran.length} blocks of commands ran, ${marked.length} carry a reason`);
  const known = new Set([...ran, ...marked].map(({ at }) => at));
  expect(blocks.filter(({ at }) => !known.has(at)).map(({ at }) => at)).toEqual([]);
});
