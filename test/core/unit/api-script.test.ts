/** api.sh: requests to Docker's API by curl, perl or python3, whichever a host has, with the same output from each. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiAnswers, parseSections } from '../../../src/core/domain/dockerd/sections.ts';
import apiScript from '../../../src/core/host/api.sh';

const NONCE = '0123456789abcdef0123456789abcdef';
const BODIES: Readonly<Record<string, string>> = {
  '/info': '{"Name":"a\\nb"}\n',
  '/long': 'x'.repeat(300_000),
  '/odd?all=1': `\n--${NONCE.replace('0', '1')} api 200 /info\n\r\n\r\n`,
  '/empty': '',
};
let directory: string;
let server: Server;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-api-'));
  server = createServer((request, response) => {
    const body = BODIES[request.url ?? ''];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(body ?? 'no such');
  });
  await new Promise<void>((done) => server.listen(join(directory, 'socket'), done));
});
afterAll(() => {
  server.close();
  removeSync(directory);
});

/** A PATH with only these programs; `oldcurl` does not know --unix-socket. */
function pathOf(name: string, programs: readonly string[]): string {
  const at = join(directory, name);
  ensureDirSync(at);
  for (const program of programs) {
    if (program === 'oldcurl') {
      writeFileSync(join(at, 'curl'), '#!/bin/sh\necho "curl: option --unix-socket: is unknown" >&2\nexit 2\n');
      chmodSync(join(at, 'curl'), 0o755);
    } else symlinkSync(`/usr/bin/${program}`, join(at, program));
  }
  return at;
}

async function ask(path: string, socket: string, ...paths: string[]): Promise<{ status: number | null; out: Buffer }> {
  const child = spawn('/bin/sh', ['-c', `${apiScript}\napi "$@"`, 'sh', socket, NONCE, ...paths], {
    env: { PATH: path },
  });
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  const status = await new Promise<number | null>((done) => child.on('close', done));
  return { status, out: Buffer.concat(parts) };
}

function answersOf(out: Buffer) {
  const whole = Buffer.concat([Buffer.from(`docker-tls-facts 1 ${NONCE}\n`), out, Buffer.from(`\n--${NONCE} done\n`)]);
  return Object.fromEntries(apiAnswers(parseSections(whole, 'facts') ?? []));
}

describe.each([['curl'], ['perl'], ['python3'], ['oldcurl', 'perl'], ['oldcurl', 'python3']])(
  'by %s %s',
  (...programs) => {
    const path = () => pathOf(programs.join('-'), programs);

    test('every path is answered with its status and its bytes', async () => {
      const { status, out } = await ask(path(), join(directory, 'socket'), ...Object.keys(BODIES), '/missing');
      expect(status).toBe(0);
      expect(answersOf(out)).toEqual({
        ...Object.fromEntries(Object.entries(BODIES).map(([url, body]) => [url, { status: 200, body }])),
        '/missing': { status: 404, body: 'no such' },
      });
    });
  },
);

test.each([['curl'], ['perl'], ['python3']])(
  'by %s: where nothing listens there is no answer, and no time is lost',
  async (program) => {
    const { out } = await ask(pathOf(`dead-${program}`, [program]), join(directory, 'nobody'), '/info', '/version');
    expect(answersOf(out)).toEqual({ '/info': { status: 0, body: '' } });
  },
);

test('without any of them it says that there is nothing to ask with', async () => {
  expect(await ask(pathOf('none', ['cat']), join(directory, 'socket'), '/info')).toEqual({
    status: 2,
    out: Buffer.alloc(0),
  });
});

test('no path is no question', async () => {
  expect(await ask(pathOf('no-path', ['curl']), join(directory, 'socket'))).toEqual({
    status: 0,
    out: Buffer.alloc(0),
  });
});

describe.each(['dash', 'bash', 'busybox sh'])('the local socket of a daemon, by %s', (shell) => {
  function localSocket(pid: number): string {
    const [program = '', ...words] = shell.split(' ');
    const script = `${apiScript}\nlocal_socket ${pid}\nprintf %s "$socket"`;
    return spawnSync(program, [...words, '-c', script], { encoding: 'utf8' }).stdout;
  }

  test('is one that it has open itself', () => {
    expect(localSocket(process.pid)).toBe(join(directory, 'socket'));
    expect(localSocket(process.ppid)).not.toBe(join(directory, 'socket'));
  });

  test('is none of those that it has for its own parts, and none whose file is gone', async () => {
    const open = ['libnetwork/1.sock', 'metrics.sock', 'swarm/control.sock', 'gone.sock'];
    const below = mkdtempSync(join(tmpdir(), 'docker-tls-sockets-'));
    for (const name of ['libnetwork', 'swarm']) mkdirSync(join(below, name));
    const script = `for (const name of ${JSON.stringify(open)}) require('net').createServer().listen(require('path').join(${JSON.stringify(below)}, name), () => console.log(name))`;
    const child = spawn(process.execPath, ['-e', script]);
    try {
      await new Promise<void>((done) => {
        let lines = 0;
        child.stdout.on('data', (part: Buffer) => {
          lines += part.toString().split('\n').length - 1;
          if (lines === open.length) done();
        });
      });
      expect(localSocket(child.pid ?? 0)).toBe(join(below, 'gone.sock'));
      rmSync(join(below, 'gone.sock'));
      expect(localSocket(child.pid ?? 0)).toBe('');
    } finally {
      child.kill('SIGKILL');
      removeSync(below);
    }
  });
});
