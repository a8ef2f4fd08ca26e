/** The pictures of docs/pictures, made from real runs; they still say what these say (UPDATE_PICTURES=1 makes them again). */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { probe } from '../../src/core/adapters/docker/probe.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import { violations } from '../support/axe.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';
import {
  type Connection,
  renderDocument,
  renderScreens,
  renderTimeline,
  type Screen,
  wordsOf,
} from '../support/picture.ts';
import { KEYS, type TerminalProgram } from '../support/terminal.ts';

const PICTURES = new URL('../../docs/pictures/', import.meta.url).pathname;
const SIZE = { columns: 96, rows: 45 };

let program: Program;
let hosts: LabHost[];
let person: Person;

beforeAll(async () => {
  program = buildProgram();
  hosts = await labUp({ names: ['picture-1', 'picture-2'] });
  person = newPerson(program, hosts);
  person.addSshConfig(
    hosts
      .map(
        ({ address, keyFile }, index) =>
          `Host build-${index + 1}\n  HostName ${address}\n  User root\n  IdentityFile ${keyFile}`,
      )
      .join('\n'),
  );
});
afterAll(async () => {
  for (const host of hosts ?? []) await host.down();
  person?.remove();
  program?.remove();
});

/** Addresses of the lab as those that RFC 5737 has for documents, as long as they were. */
function published(screen: Screen): Screen {
  const stand: Readonly<Record<number, string>> = {
    10: '192.0.2.1',
    11: '192.0.2.10',
    12: '198.51.100.',
    13: '198.51.100.1',
  };
  const address = (found: string): string => {
    const index = hosts.findIndex((host) => host.address === found);
    return `${stand[found.length] ?? '192.0.2.'}${index + 1}`;
  };
  return screen.map((line) =>
    line.map((run) => ({
      ...run,
      text: hosts
        .reduce((text, host) => text.replaceAll(host.address, address(host.address)), run.text)
        .replaceAll(person.home, '~'),
    })),
  );
}

function typed(command: string, screen: Screen): Screen {
  return [
    [
      { text: '$ ', dim: true },
      { text: `docker-tls ${command}`, bold: true },
    ],
    [],
    ...screen,
  ];
}

function check(name: string, picture: string): void {
  if (process.env.UPDATE_PICTURES !== undefined) {
    mkdirSync(PICTURES, { recursive: true });
    writeFileSync(join(PICTURES, name), picture);
  }
  expect(wordsOf(readFileSync(join(PICTURES, name), 'utf8'))).toBe(wordsOf(picture));
}

async function ended(terminal: TerminalProgram, status = 0): Promise<Screen> {
  expect({ status: await terminal.ended, screen: terminal.screen() }).toMatchObject({ status });
  return published(terminal.styled());
}

test('the wizard, from the host to what is accepted', async () => {
  const terminal = person.terminal(['setup', '--ssh-config', join(person.home, '.ssh/config')], SIZE);
  const screens: Screen[] = [];
  const answers = [
    ['Host:', 'build-1'],
    ['Make these changes? (y: yes, e: edit, Enter: no)', 'y'],
    ['New passphrase of the CA:', 'correct staple'],
    ['The same again:', 'correct staple'],
  ] as const;
  for (const [question, answer] of answers) {
    await terminal.see(question);
    terminal.type(answer);
    await wait(200);
    screens.push(typed('setup', published(terminal.styled())));
    await terminal.answer(question, KEYS.enter);
  }
  screens.push(typed('setup', await ended(terminal)));
  const [first, plan, , passphrase, result] = screens as [Screen, Screen, Screen, Screen, Screen];
  check('wizard.svg', renderScreens('The wizard: host, plan, passphrase, result', [first, plan, passphrase, result]));
});

test('a plan of a fleet', async () => {
  writeFileSync(
    join(person.home, 'fleet.yaml'),
    'version: 1\ndefaults:\n  ssh:\n    config: .ssh/config\nhosts:\n  build-1:\n    clients: [root, ci]\n  build-2:\n    clients: [root, ci]\nclients:\n  root: {}\n  ci: {}\n',
  );
  const terminal = person.terminal(['plan', '-f', 'fleet.yaml'], SIZE);
  check('plan.svg', renderScreens('A plan of two hosts', [typed('plan -f fleet.yaml', await ended(terminal))]));
});

test('status: hosts, clients and the CA', async () => {
  expect(
    await person.run(['client', 'add', 'ci', '--yes'], { env: { DOCKER_TLS_CA_PASSPHRASE: 'correct staple' } }),
  ).toMatchObject({
    status: 0,
  });
  const screen = await ended(person.terminal(['status'], SIZE));
  // Which packages have known vulnerabilities changes without a change of ours.
  const table = screen.slice(
    0,
    screen.findIndex((line) => line.length === 0),
  );
  check('status.svg', renderScreens('status: where, until when, in sync', [typed('status', table)]));
});

test('the report of an audit, as far as a page shows it at first', async () => {
  const [width, height] = [1000, 760];
  // Not those of known vulnerabilities: they change without a change of ours.
  const checks = ['2.*', '3.*', 'tls.*', 'ssh.*', 'file.*', 'host.*'];
  const words = ['--check', checks.join(','), '--format', 'html', '--out', 'report.html'];
  expect(await person.run(['audit', 'build-1', ...words])).toMatchObject({ status: 0 });
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const page = await browser.newPage({ viewport: { width, height } });
  await page.goto(`file://${join(person.home, 'report.html')}`);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page)).toEqual([]);
  }
  const xhtml = await page.evaluate<string>(`(() => {
    for (const one of document.querySelectorAll('script, meta, head > title')) one.remove();
    for (const one of [...document.body.querySelectorAll('*')].reverse())
      if (one.getBoundingClientRect().top > ${height} || one.getClientRects().length === 0) one.remove();
    return new XMLSerializer().serializeToString(document.documentElement);
  })()`);
  await browser.close();
  const shown = hosts.reduce((text, { address }) => text.replaceAll(address, '192.0.2.11'), xhtml);
  check('report.svg', renderDocument('The report of an audit', shown, width, height));
});

test('a rotation under load: no connection is refused', async () => {
  const [host] = hosts as [LabHost];
  const directory = join(person.store, 'clients/root');
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  const credentials = { cert: read('cert.pem'), key: new Secret(read('key.pem')) };
  const all: Connection[] = [];
  const under = new Set<Promise<void>>();
  const began = performance.now();
  const timer = setInterval(() => {
    const atMs = performance.now() - began;
    const one = probe({ address: host.address, port: 2376, ca: read('ca.pem'), credentials, timeoutMs: 30_000 }).then(
      (outcome) => {
        all.push({ atMs, tookMs: performance.now() - began - atMs, refused: outcome.kind === 'refused' });
        under.delete(one);
      },
    );
    under.add(one);
  }, 20);
  await wait(500);
  const rotation = await person.run(['rotate', 'server', 'build-1', '--yes', '--verbose'], {
    env: { DOCKER_TLS_CA_PASSPHRASE: 'correct staple' },
  });
  expect(rotation).toMatchObject({ status: 0 });
  await wait(500);
  clearInterval(timer);
  await Promise.all(under);
  expect(all.filter(({ refused }) => refused)).toEqual([]);
  // The connection that waited longest shows when dockerd was away.
  const { atMs, tookMs } = all.reduce((longest, one) => (one.tookMs > longest.tookMs ? one : longest));
  const restart = { fromMs: atMs, toMs: atMs + tookMs };
  check(
    'rotation.svg',
    renderTimeline(
      'Connections during a rotation',
      all.sort((one, other) => one.atMs - other.atMs),
      restart,
    ),
  );
});
