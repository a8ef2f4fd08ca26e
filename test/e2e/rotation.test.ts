/** Rotation and revocation on real hosts of all generations, with clients that never stop asking (issue 5). */

import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { copySync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { probe } from '../../src/core/adapters/docker/probe.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { buildProgram, type Program, type ProgramRun } from '../support/cli.ts';
import { type LabHost, labClient, labUp, suites } from '../support/lab.ts';
import { type Poller, startPoller } from '../support/poller.ts';

const run = promisify(execFile);
let hosts: LabHost[] = [];
let program: Program;
let directory: string;
let store: string;
const clients = ['laptop', 'ci', 'carol'];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-rotation-'));
  store = join(directory, 'tls');
  program = buildProgram();
  hosts = (await Promise.all(suites.map((suite) => labUp({ names: [`ro-${suite}`], suite })))).flat();
  // The first makes the CA; the others come after it.
  for (const host of hosts) await host.container('web', '', 'sleep 100000');
  for (const host of hosts)
    expectDone(
      await cli(
        'setup',
        `root@${host.address}`,
        '--name',
        host.name,
        '-i',
        host.keyFile,
        '--host-key',
        'accept-new',
        '--no-ca-passphrase',
        '--client',
        'laptop',
        '--yes',
      ),
    );
  for (const name of clients.slice(1)) expectDone(await cli('client', 'add', name, '--yes'));
});

afterAll(async () => {
  for (const host of hosts) await host.down();
  program?.remove();
  removeSync(directory);
});

test('servers and the CA are rotated, killed in the middle of each stage and resumed; no client with good credentials is refused', async () => {
  const before = await containers();
  const pollers = startPollers();
  // Carol never fetches new files: hers work until the old CA is dropped.
  const carol = mkdtempSync(join(directory, 'carol-'));
  copySync(join(store, 'clients/carol'), carol);
  const late = startPoller({ directory: carol, hosts: places(), everyMs: 50, fresh: false });

  expectDone(await cli('rotate', 'server', '--all', '--yes'));
  expectDone(await cli('rotate', 'client', 'ci', '--yes'));
  await killedAt('stage 1', /^ro-\w+: switch$/m, 'rotate', 'ca', '--yes', '--confirm-within', '10s', '--new');
  await killedAt('stage 2', /stage 2[\s\S]*^ro-\w+: switch$/m, 'rotate', 'ca', '--yes', '--confirm-within', '10s');
  const resumed = await cli('rotate', 'ca', '--yes', '--json');
  expectDone(resumed);
  expect(JSON.parse(resumed.out).result.stage.stage).toBe('drop');
  await late.stop();
  expectUndisturbed([late]);
  expect(late.tries).toBeGreaterThan(50);

  await killedAt('stage 3', /^ro-\w+: switch$/m, 'rotate', 'ca', '--drop', '--yes', '--confirm-within', '10s');
  expectDone(await cli('rotate', 'ca', '--drop', '--yes'));
  await report(pollers);

  for (const host of hosts) expect(await attempt(host, carol)).toBe('client-refused');
  const [one] = hosts as [LabHost];
  const back = await cli('rollback', one.name, '--yes');
  expect(back.status).toBe(4);
  expect(back.err).toSay('trusts-ca-accept-any', 'E_ACCEPTS_REVOKED');
  expect(await attempt(one, carol)).toBe('client-refused');
  expect(await containers()).toEqual(before);
  expectDone(await cli('plan', '--check'));
  expectDone(await cli('verify'));
});

test('one of three clients is revoked: refused by docker and curl on every host, the others never', async () => {
  const docker = await labClient();
  const others = startPollers(['laptop', 'ci']);
  const eve = mkdtempSync(join(directory, 'eve-'));
  copySync(join(store, 'clients/carol'), eve);
  for (const host of hosts) expect(await attempt(host, eve)).toBe('accepted');
  expectDone(await cli('client', 'revoke', 'carol', '--yes'));
  for (const host of hosts) {
    expect(await attempt(host, eve)).toBe('client-refused');
    const env = {
      PATH: process.env.PATH,
      HOME: directory,
      DOCKER_HOST: `tcp://${host.address}:2376`,
      DOCKER_TLS_VERIFY: '1',
    };
    await expect(run(docker, ['version'], { env: { ...env, DOCKER_CERT_PATH: eve } })).rejects.toThrow();
    await run(docker, ['version'], { env: { ...env, DOCKER_CERT_PATH: join(store, 'clients/ci') } });
    await expect(curl(host, eve)).rejects.toThrow();
    expect((await curl(host, join(store, 'clients/laptop'))).stdout).toContain('ApiVersion');
  }
  await report(others);
  const again = await cli('client', 'revoke', 'carol', '--yes', '--json');
  expect(JSON.parse(again.out).result.hosts).toEqual([]);
  expectDone(await cli('plan', '--check'));
});

function cli(...argv: string[]): Promise<ProgramRun> {
  return program.run(argv, { env: { PATH: process.env.PATH, HOME: directory, DOCKER_TLS_HOME: store } });
}

function expectDone(result: ProgramRun): void {
  if (result.status !== 0) throw new Error(`exit ${result.status}\n${result.out}\n${result.err}`);
}

/** Starts a command, kills it with SIGKILL when a line appears, and waits until the hosts have gone back on their own. */
async function killedAt(what: string, line: RegExp, ...argv: string[]): Promise<void> {
  const child = program.start([...argv, '-v'], {
    env: { PATH: process.env.PATH, HOME: directory, DOCKER_TLS_HOME: store },
  });
  let err = '';
  let killed = false;
  child.stderr?.on('data', (chunk) => {
    err += chunk;
    if (!killed && line.test(err)) killed = child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  expect(killed, `${what} was not killed in the middle:\n${err}`).toBe(true);
  await expect
    .poll(
      async () =>
        (
          await Promise.all(
            hosts.map((host) => host.must('ls /run/docker-tls.lock /var/lib/docker-tls/txn 2>/dev/null | wc -l')),
          )
        ).map((text) => text.trim()),
      { timeout: 60_000, interval: 500 },
    )
    .toEqual(hosts.map(() => '0'));
}

function places(): { address: string; port: number }[] {
  return hosts.map((host) => ({ address: host.address, port: 2376 }));
}

function startPollers(names: readonly string[] = clients): Poller[] {
  return names.map((name) =>
    startPoller({ directory: join(store, 'clients', name), hosts: places(), everyMs: 50, fresh: true }),
  );
}

async function report(pollers: readonly Poller[]): Promise<void> {
  for (const poller of pollers) await poller.stop();
  const tries = pollers.reduce((sum, poller) => sum + poller.tries, 0);
  const longest = Math.max(...pollers.map((poller) => poller.longestMs));
  expectUndisturbed(pollers);
  console.log(`${tries} connections, 0 refused, longest wait ${Math.round(longest)} ms`);
  expect(tries).toBeGreaterThan(50);
}

async function attempt(host: LabHost, credentials: string): Promise<string> {
  const { readFileSync } = await import('node:fs');
  const { Secret } = await import('../../src/core/domain/secret.ts');
  const state = await openStore(store).read();
  const outcome = await probe({
    address: host.address,
    port: 2376,
    ca: state.ca?.cert ?? '',
    credentials: {
      cert: readFileSync(join(credentials, 'cert.pem'), 'utf8'),
      key: new Secret(readFileSync(join(credentials, 'key.pem'))),
    },
    timeoutMs: 20_000,
  });
  return outcome.kind === 'accepted' ? 'accepted' : outcome.cause;
}

function curl(host: LabHost, credentials: string): Promise<{ stdout: string }> {
  return run('curl', [
    '-sS',
    '--fail',
    '--cacert',
    join(store, 'clients/laptop/ca.pem'),
    '--cert',
    join(credentials, 'cert.pem'),
    '--key',
    join(credentials, 'key.pem'),
    `https://${host.address}:2376/version`,
  ]);
}

/** Process and start time of every container: neither may change. */
async function containers(): Promise<string[]> {
  return Promise.all(hosts.map((host) => host.must("docker inspect -f '{{.State.Pid}} {{.State.StartedAt}}' web")));
}

/**
 * Nobody is rejected, and no connection is cut. But where this computer was so busy that its own client needed longer than a host
 * waits for one (3 s, src/core/host/rollback/port.sh), the daemon cuts it: such cuts may be hardly any.
 */
function expectUndisturbed(pollers: readonly Poller[]): void {
  const all = pollers.flatMap((poller) => poller.refusals);
  const slow = all.filter((text) => Number(/: reset: .* after (\d+) ms$/.exec(text)?.[1] ?? 0) > 3000);
  expect(all.filter((text) => !slow.includes(text))).toEqual([]);
  expect(slow.length).toBeLessThanOrEqual(pollers.reduce((sum, poller) => sum + poller.tries, 0) / 100);
}
