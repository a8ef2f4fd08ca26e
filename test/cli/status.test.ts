/** Host checks of `status`: SSH or TLS alone is useful, and a rejection can be correct. */

import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { externalKey } from '../../src/core/domain/trust/client-refusals.ts';
import { offeredCommands } from '../../src/core/seams/offered-commands.ts';
import { WIZARD } from '../../src/core/seams/wizard.ts';
import { DockerTlsError } from '../../src/errors/errors.ts';
import { CertificateFactory, type Issued } from '../support/certificate-factory.ts';
import { runCli } from '../support/cli.ts';
import { type IssuedHost, issueStore } from '../support/issued-store.ts';
import { keyElsewhere } from '../support/outside-clients.ts';
import { newHome, removeHomes } from '../support/store.ts';
import { type Listening, startTlsDaemon } from '../support/tls-daemon.ts';

const factory = new CertificateFactory();
let home: string;
let running: Listening[] = [];

beforeEach(() => {
  home = newHome();
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
afterAll(() => {
  factory.remove();
  removeHomes();
});

/** Hosts without SSH: the refusal comes before any answer over TLS. */
async function noSsh(): Promise<never> {
  throw new DockerTlsError('E_SSH_UNREACHABLE', 'no way there');
}

test('an empty store: how to begin, with the host where no questions would ask for it', async () => {
  const { out } = await runCli(['status'], { env: { HOME: dirname(home), DOCKER_TLS_HOME: home } });
  expect(out.split('\n').map((line) => line.trim())).toContain(
    `docker-tls setup${WIZARD.all.length > 0 ? '' : ' USER@HOST'}`,
  );
});

async function rowsOf(...argv: string[]) {
  const { exit, json } = await runCli(['status', '--json', '--home', home, ...argv], {
    connect: noSsh,
    env: { HOME: dirname(home) },
  });
  const rows: { kind: string; name: string; drift?: string[]; unreachable?: string }[] = json.result.rows;
  return { exit, json, host: (name: string) => rows.find((row) => row.kind === 'host' && row.name === name) };
}

/** A daemon with a host's own credentials; the store gets its port. */
async function serve(name: string, host: IssuedHost = {}): Promise<void> {
  const files = (file: string) => join(home, 'hosts', name, file);
  const credential = (cert: string, key: string): Issued => ({
    cert: '',
    key: '',
    certFile: files(cert),
    keyFile: files(key),
  });
  const daemon = await startTlsDaemon(factory, {
    server: credential('server-cert.pem', 'server-key.pem'),
    trust: credential('ca.pem', 'server-key.pem'),
    flags: ['-partial_chain'],
  });
  running = [...running, daemon];
  const store = openStore(home);
  await store.withLock('test', async () => {
    const stored = (await store.read()).hosts.get(name);
    if (stored === undefined) throw new Error(name);
    await store.write({
      hosts: {
        [name]: {
          ...stored,
          record: { ...stored.record, ...(host.clients ? { clients: host.clients } : {}), port: daemon.port },
        },
      },
    });
  });
}

test('a host that is down costs its own row only', async () => {
  await issueStore(home, { hosts: { up: {}, down: { port: 1 } }, clients: { laptop: undefined } });
  await serve('up');
  const { exit, host } = await rowsOf('--no-ssh', '--check');
  expect(exit).toBe(3);
  expect(host('up')).toMatchObject({ drift: [] });
  expect(host('down')?.unreachable).toMatch(/^E_TLS/);
});

test('what TLS found is said although SSH failed at once', async () => {
  await issueStore(home, { hosts: { up: {}, down: { port: 1 } }, clients: { laptop: undefined } });
  await serve('up');
  const { host } = await rowsOf();
  expect(host('up')).toMatchObject({ drift: [], unreachable: 'E_SSH_UNREACHABLE: no way there', attention: true });
  expect(host('down')?.drift).toBeUndefined();
});

test("a client that the host's own list does not name verifies nothing about it", async () => {
  await issueStore(home, { hosts: { up: { clients: ['ci'] } }, clients: { laptop: undefined, ci: undefined } });
  await serve('up');
  expect((await rowsOf('--no-ssh', '--check')).host('up')).toMatchObject({ drift: [] });
  // The key of the accepted client is on another machine: then a rejection is correct.
  const store = openStore(home);
  await store.withLock('test', async () => {
    const { key: _, directory: __, ...ci } = (await store.read()).clients.get('ci') ?? {};
    await store.write({ removeClients: ['ci'] });
    await store.write({ clients: { ci: ci as never } });
  });
  const { exit, host } = await rowsOf('--no-ssh', '--check');
  expect(host('up')).toMatchObject({ drift: [] });
  expect(exit).toBe(0);
});

test('what it says to paste is what works: an expired CA renews nothing, and a key elsewhere not by rotate', async () => {
  await issueStore(home, { hosts: { up: {} }, clients: { laptop: undefined, ann: undefined } });
  await keyElsewhere(home, 'ann');
  const hints = async (days: number) => {
    const now = (): Date => new Date(Date.now() + days * 86_400_000);
    const { out } = await runCli(['status', '--offline'], { env: { HOME: dirname(home), DOCKER_TLS_HOME: home }, now });
    return out.split('\n').flatMap((line) => (/^ {2}[a-z]/.test(line) ? [line.trim()] : []));
  };
  const elsewhere = externalKey('ann').hints.map(String);
  expect(await hints(300)).toEqual(['docker-tls rotate server --due', ...elsewhere, 'docker-tls rotate client laptop']);
  expect(await hints(3660)).toEqual([...offeredCommands('new CA'), ...elsewhere]);
});

test.each([['--json'], ['--quiet']])('interrupted while hosts are asked, it is no success (%s)', async (flag) => {
  await issueStore(home, { hosts: { one: {}, two: {} } });
  const controller = new AbortController();
  const { exit, out, err } = await runCli(['status', '--home', home, flag], {
    env: { HOME: dirname(home) },
    signal: controller.signal,
    connect: async () => {
      controller.abort();
      throw new DockerTlsError('E_SSH_UNREACHABLE', 'no way there');
    },
    probe: async () => ({ kind: 'refused', cause: 'connection-refused', reason: 'no answer', chain: '', elapsedMs: 1 }),
  });
  expect(exit).toBe(130);
  expect(out + err).toContain('E_INTERRUPTED');
  expect(out).not.toContain('unreachable');
});

test('on a narrow terminal what fits is whole, and what is wrong with a host is said in full, with what to do', async () => {
  await issueStore(home, { hosts: { 'build-1': { port: 1 } }, clients: { laptop: undefined } });
  const run = (columns: number) =>
    runCli(['status', '--no-ssh', '--home', home], {
      connect: noSsh,
      env: { HOME: dirname(home) },
      io: { outIsTerminal: true, columns },
    });
  for (const columns of [80, 100, 120, 160]) {
    const { out } = await run(columns);
    const table = out.split('\n').filter((line) => /^( |ca|host|client)/.test(line) && !line.includes('docker-tls '));
    expect(table.filter((line) => line.length > columns)).toEqual([]);
    expect(table.length).toBeGreaterThanOrEqual(3);
    expect(out).toMatch(/^host +build-1 .* unreachable$/m);
    expect(out).toMatch(/^build-1: E_TLS: .*127\.0\.0\.1:1/m);
    if (columns > 100) expect(out).toContain('127.0.0.1:1 ');
  }
});

test('what a host is for is shown, where any host says it', async () => {
  await issueStore(home, { hosts: { up: {}, down: {} }, clients: { laptop: undefined } });
  const text = async () => (await runCli(['status', '--offline', '--home', home])).out;
  expect(await text()).not.toContain('DESCRIPTION');
  const store = openStore(home);
  const set = (description: string) =>
    store.withLock('test', async () => {
      const stored = (await store.read()).hosts.get('up');
      if (stored !== undefined)
        await store.write({ hosts: { up: { ...stored, record: { ...stored.record, description } } } });
    });
  await set('builds of the website, rack 4');
  expect(await text()).toMatch(/DESCRIPTION\n(.*\n)*host +up .*builds of the website, rack 4\n/);
  const { json } = await runCli(['status', '--offline', '--json', '--home', home]);
  const rows: { name: string; description?: string }[] = json.result.rows;
  expect(rows.map(({ name, description }) => [name, description])).toContainEqual([
    'up',
    'builds of the website, rack 4',
  ]);
  expect(rows.find(({ name }) => name === 'down')).not.toHaveProperty('description');
  await expect(set('a\u001b[2Jb')).rejects.toThrow(TypeError);
});

describe('the table comes row by row, in the order of the store', () => {
  const names = ['a', 'a-long-name-of-a-host', 'slow', 'zz'];
  const fill = () =>
    issueStore(home, { hosts: Object.fromEntries(names.map((name) => [name, {}])), clients: { laptop: undefined } });

  /** Runs `status` with one host that answers only after those above it have their rows. */
  async function besideSlow(terminal: boolean, ...argv: string[]) {
    let out = '';
    let screen = '';
    let release = (): void => {};
    const others = new Promise<void>((resolve) => {
      release = resolve;
    });
    const run = runCli(['status', '--home', home, ...argv], {
      env: { HOME: dirname(home) },
      io: {
        outIsTerminal: terminal,
        errIsTerminal: terminal,
        columns: 120,
        out(text) {
          out += text;
          screen += text;
          const rows = names
            .slice(0, names.indexOf('slow'))
            .filter((name) => new RegExp(`^host +${name} `, 'm').test(out));
          if (rows.length === 2) release();
        },
        err(text) {
          screen += text;
        },
      },
      connect: async ({ host }) => {
        if (host === 'slow' && terminal) await others;
        throw new DockerTlsError('E_SSH_UNREACHABLE', `no way to ${host}`);
      },
      probe: async () => ({
        kind: 'refused',
        cause: 'connection-refused',
        reason: 'nothing listens',
        chain: '',
        elapsedMs: 1,
      }),
    });
    const { exit } = await run;
    return { exit, out, screen };
  }

  test.each([false, true])('a slow host holds back no row above it (terminal: %s)', async (terminal) => {
    await fill();
    const { out, screen } = await besideSlow(terminal);
    const table = out.slice(0, out.indexOf('\n\n')).split('\n');
    expect(table.map((row) => row.split(/ {2,}/).slice(0, 2).join(' '))).toEqual([
      expect.stringMatching(/^ NAME$/),
      'ca test',
      ...names.map((name) => `host ${name}`),
      'client laptop',
    ]);
    // Every column is aligned with its title.
    const [head = '', ...rows] = table;
    for (const title of ['NAME', 'EXPIRES', 'RENEW FROM']) {
      const at = head.indexOf(title);
      for (const row of rows) expect(row.slice(at - 2, at + 1)).toMatch(/^ {2}\S$/);
    }
    for (const row of rows.filter((one) => one.startsWith('host'))) {
      expect(row.indexOf('unreachable')).toBe(head.indexOf('DRIFT'));
    }
    expect(out).toContain('a: E_TLS');
    expect(out).toContain('4 entries need attention.');
    // The row has this already, so no second line reports the same host's end; elsewhere those lines come before the table.
    if (!terminal) expect(screen.lastIndexOf('failed:')).toBeLessThan(screen.indexOf('NAME'));
    if (terminal) expect(screen).not.toContain('✖');
  });

  test('--json is one document, in the order of the store', async () => {
    await fill();
    const { out } = await besideSlow(false, '--json');
    const { rows } = JSON.parse(out).result;
    expect(rows.map(({ name }: { name: string }) => name)).toEqual(['test', ...names, 'laptop']);
  });
});
