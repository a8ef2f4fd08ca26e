/** Decisions of the engine on hosts that answer as their scripts do: retries, refusals, and steps that need their own flag. */

import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/core/adapters/store/store.ts';
import type { Connect, Probe } from '../../src/core/runtime.ts';
import { DockerTlsError } from '../../src/errors/errors.ts';
import { type AnsweringHosts, answeringHosts } from '../support/answering-hosts.ts';
import { type CliRun, runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';

const now = new Date();
let home: string;
let phases: string[];

afterAll(removeHomes);
beforeEach(async () => {
  home = newHome();
  phases = [];
  await issueStore(home, { now, hosts: { h1: {}, h2: {}, h3: {} }, clients: { laptop: undefined, eve: undefined } });
});

/** Accepts every client that is not revoked. */
const probe: Probe = async ({ address, credentials, maxVersion }) => {
  const { hosts, clients } = await openStore(home).read();
  const chain = [...hosts.values()].find(({ record }) => record.address === address)?.serverCert ?? '';
  const good = [...clients.values()].some(({ cert, record }) => cert === credentials?.cert && !record.revokedAt);
  return good && maxVersion === undefined
    ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain, elapsedMs: 1 }
    : { kind: 'refused', cause: 'client-refused', reason: 'why', chain, elapsedMs: 1 };
};

function run(
  argv: readonly string[],
  hosts: Partial<AnsweringHosts> = {},
  form = ['--json'],
  connect: Connect = answeringHosts({ home, now, onChange: (phase) => phases.push(phase), ...hosts }),
): Promise<CliRun> {
  const directory = dirname(home);
  return runCli([...argv, ...form], {
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), DOCKER_TLS_HOME: home },
    now: () => now,
    connect,
    probe,
  });
}

const codes = ({ json }: CliRun) => (json.error?.errors ?? [json.error]).map((error) => error?.code);

describe('a host that has just rolled back a change of another run', () => {
  test('is planned and changed once more', async () => {
    const { exit } = await run(['rollback', 'h1', '--yes'], { answers: { apply: ['again', 'switched'] } });
    expect([exit, phases]).toEqual([0, ['apply', 'apply', 'commit']]);
  });

  test('and no more than once', async () => {
    const again = await run(['rollback', 'h1', '--yes'], { answers: { apply: 'again' } });
    expect([again.exit, codes(again), phases]).toEqual([4, ['E_STALE_CHANGE'], ['apply', 'apply']]);
  });
});

describe('a host that was changed since its plan', () => {
  const changed = `changed ${Buffer.from('/x').toString('base64')}`;

  test('is planned and changed once more', async () => {
    const { exit } = await run(['rollback', 'h1', '--yes'], { answers: { apply: [changed, 'switched'] } });
    expect([exit, phases]).toEqual([0, ['apply', 'apply', 'commit']]);
  });

  test('and no more than once: nothing was changed, so the run does not end as after a rollback', async () => {
    const again = await run(['rollback', 'h1', '--yes'], { answers: { apply: changed } });
    expect([again.exit, codes(again), phases]).toEqual([4, ['E_HOST_CHANGED'], ['apply', 'apply']]);
  });
});

test('a plan with a restart says which streams end', async () => {
  const { out } = await run(['rotate', 'server', 'h1', '--dry-run'], {}, []);
  expect(out).toSay('clients-new-connections-wait');
  expect(out).toSay('streams-end-restart-logs');
});

test('a rollback of a rollback names what it brings back, and unattended has to be asked for it', async () => {
  const twice = { reason: 'rollback' };
  const refused = await run(['rollback', 'h1', '--yes'], twice);
  expect([refused.exit, codes(refused), phases]).toEqual([2, ['E_ROLLED_BACK'], []]);
  const shown = await run(['rollback', 'h1', '--dry-run'], twice);
  expect(JSON.stringify(shown.json.result)).toSay('itself-made-rollback-brings');
  const [number] = /(?<=--to )\d+/.exec(JSON.stringify(refused.json)) ?? [];
  expect((await run(['rollback', 'h1', '--to', `${number}`, '--yes'], twice)).exit).toBe(0);
});

test('a rollback that accepts a revoked client again needs a flag of its own', async () => {
  // h1 has not received the revocation, so its earlier generation equals the active one.
  const store = openStore(home);
  const eve = (await store.read()).clients.get('eve');
  const { directory: _, ...revoked } = eve as typeof eve & { directory: string };
  await store.withLock('test', () =>
    store.write({
      clients: { eve: { ...revoked, record: { ...revoked.record, revokedAt: now.toISOString() } } as never },
    }),
  );
  const refused = await run(['rollback', 'h1', '--yes']);
  expect([refused.exit, codes(refused), phases]).toEqual([4, ['E_ACCEPTS_REVOKED'], []]);
  const allowed = await run(['rollback', 'h1', '--allow-revoked', '--yes']);
  expect([allowed.exit, phases]).toEqual([0, ['apply', 'commit']]);
});

describe('several hosts', () => {
  const rotate = ['rotate', 'server', 'h1', 'h2', 'h3', '--yes', '--parallel', '1'];
  const failing = { answers: { apply: `failed validate ${Buffer.from('no').toString('base64')}` } };

  test('a canary that fails leaves the others alone', async () => {
    const { exit, json } = await run([...rotate, '--canary', '1'], failing);
    expect([exit, phases]).toEqual([4, ['apply']]);
    expect(JSON.stringify(json.result)).toContain('the canary failed');
  });

  test('a canary whose plan fails leaves the others alone', async () => {
    const answering = answeringHosts({ home, now, onChange: (phase) => phases.push(phase) });
    const { exit, json } = await run([...rotate, '--canary', '1', '--diff'], {}, ['--json'], async (options) => {
      if (options.host === 'h1') throw new DockerTlsError('E_SSH_TIMEOUT', 'no answer');
      return answering(options);
    });
    expect([exit, phases]).toEqual([4, []]);
    expect(JSON.stringify(json)).toContain('the canary failed');
  });

  test('none is begun after so many failures', async () => {
    const { exit, json } = await run([...rotate, '--max-failures', '2'], failing);
    expect([exit, phases]).toEqual([4, ['apply', 'apply']]);
    expect(JSON.stringify(json.result)).toContain('stopped after 2 failures');
  });
});

describe('a host that is not in the store', () => {
  const connect = async ({ host }: { host: string }) => {
    throw new DockerTlsError('E_SSH_NAME', `no address is known for ${host}`, { where: host });
  };

  test.each(['remove', 'rollback'])(
    '%s: it was removed already or is misspelt, which the known ones tell',
    async (verb) => {
      const { exit, json } = await run([verb, 'h9', '--yes'], {}, ['--json'], connect);
      expect([exit, json.error]).toMatchObject([
        2,
        { code: 'E_HOST_UNKNOWN', message: expect.toSay('not-store-removed-already', 'h1') },
      ]);
    },
  );

  test('setup by an address with a zone wants what clients dial, before it logs in', async () => {
    const argv = ['setup', 'root@[fe80::1%eth0]', '--yes', '--no-ca-passphrase'];
    const { exit, json } = await run(argv, {}, ['--json'], connect);
    expect([exit, json.error]).toMatchObject([
      2,
      { code: 'E_NAME', hints: [expect.toSay('name-what-they-dial', '--address NAME')] },
    ]);
    const named = await run([...argv, '--address', 'build-1.example'], {}, ['--json'], connect);
    expect(named.json.error?.code).toBe('E_SSH_NAME');
  });

  test('one that is, and that has no address now, is an error of ssh', async () => {
    const { exit, json } = await run(['remove', 'h1', '--yes'], {}, ['--json'], connect);
    expect([exit, json.error?.code]).toEqual([4, 'E_SSH_NAME']);
  });
});

test('a host of another store is left alone, unless it is taken over', async () => {
  const other = newHome();
  await issueStore(other, { now, hosts: { h1: {} }, clients: { laptop: undefined } });
  const refused = await run(['apply', 'h1', '--yes'], { home: other });
  expect([refused.exit, codes(refused), phases]).toEqual([4, ['E_HOST_MANAGED'], []]);
  const taken = await run(['apply', 'h1', '--yes', '--take-over'], { home: other });
  expect(codes(taken)).not.toContain('E_HOST_MANAGED');
  expect(phases).toContain('apply');
});
