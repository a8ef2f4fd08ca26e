/**
 * The blocks of commands in README and docs, in the order of each page, as a reader runs them: on real hosts, in a terminal, with answers to
 * its questions. What a page shows as output is compared. A block that is not run carries the reason.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type Block, blocksOf, difference, readersShell, type Shell, sessionOf } from '../support/doc-blocks.ts';
import { type LabHost, labClient, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

/** Page → what its reader did before the first block. */
const SCENES: Readonly<Record<string, string>> = {
  'README.md': `printf 'version: 1\nhosts:\n  build-1: root@build-1\nclients:\n  root:\n' > fleet.yaml
    printf 'services:\n  web: { image: busybox, user: web }\n' > docker-compose.yml; printf 'FROM scratch\n' > Dockerfile`,
  'docs/start/one-server.md': '',
  'docs/start/team.md': `git init -q --bare ops.git
    for name in .ssh/id_ed25519 bob; do ssh-keygen -qt ed25519 -N '' -f "$name"; done`,
  'docs/start/auditor.md': `ssh-keygen -qt ed25519 -N '' -f .ssh/id_ed25519
    printf 'services:\n  web: { image: busybox, user: web }\n' > docker-compose.yml; printf 'FROM scratch\n' > Dockerfile
    docker-tls setup root@build-1 --no-ca-passphrase --yes`,
  'docs/start/bundle.md': `owner() { DOCKER_TLS_HOME=$HOME/owner docker-tls "$@"; }
    owner setup root@build-1 --client laptop --no-ca-passphrase --no-context --yes
    owner client export laptop --out laptop.tar`,
  'docs/audit.md': `ssh-keygen -qt ed25519 -N '' -f key; echo "ada@example.org $(cat key.pub)" > signers
    docker-tls audit root@build-1 --check 'tls.*' --out report.json --sign key`,
  'docs/clients.md': `docker-tls setup root@build-1 --no-ca-passphrase --yes
    docker-tls setup root@build-2 --yes
    docker-tls client add ci --yes; docker-tls client add eve --yes`,
  'docs/doctor.md': 'docker-tls setup root@build-1 --no-ca-passphrase --yes',
  'docs/fleet.md': `printf 'version: 1\nhosts:\n  build-1: root@build-1\nclients:\n  root:\nca: { passphrase: none }\n' > fleet.yaml`,
  'docs/roles.md': '',
  'docs/testcontainers.md': 'docker-tls setup root@build-1 --no-ca-passphrase --yes',
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
  hosts =
    names.length === 0
      ? []
      : await labUp({ names: names.map((name) => `docs-${name}`), with: page === 'docs/roles.md' ? ['haproxy'] : [] });
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

/** Names of the pages that no lab has; a line of another machine is run with another store and other contexts. */
const onLab = (text: string, { home }: Person): string =>
  text
    .replaceAll('git+ssh://git@git.example.org/ops/docker-tls.git', `git+file://${home}/ops.git`)
    .replace(
      /^.*# (?:on the other machine$|ann's laptop)/gm,
      `DOCKER_TLS_HOME=${home}/other DOCKER_CONFIG=${home}/other $&`,
    );

/** What went wrong; undefined: nothing. */
async function runBlock(shell: Shell, block: Block, reader: Person): Promise<string | undefined> {
  if (block.file !== undefined) {
    writeFileSync(join(reader.home, block.file), `${block.text}\n`);
    return undefined;
  }
  if (!block.session) {
    const { status, screen } = await shell.run(onLab(block.text, reader));
    return status === 0 ? undefined : `status ${status}\n${screen}`;
  }
  const end = '=== end of a command ===';
  const session = sessionOf(block);
  const script = session.map(({ command }) => `${onLab(command, reader)} || :\necho '${end}'`).join('\n');
  const outputs = (await shell.run(script)).screen.split(end);
  const found = session.map(
    ({ command, output }, index) => [command, difference(output, outputs[index] ?? '')] as const,
  );
  return found.find(([, words]) => words !== undefined)?.join(': ');
}

test.each(Object.entries(SCENES).filter(([page]) => pages.includes(page)))('the blocks of %s', async (page, before) => {
  const shell = await begin(page);
  expect((await shell.run(onLab(before, person as Person))).status).toBe(0);
  for (const block of blocksOf(page).filter(({ mark }) => mark === undefined)) {
    expect(await runBlock(shell, block, person as Person), block.at).toBeUndefined();
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
