/** Failures of other commands that name `doctor`, and what it then says. */

import { afterAll, beforeEach, expect, test } from 'vitest';
import { findCommand } from '../../../../src/cli/commands.ts';
import { requireVerified } from '../../../../src/core/engine/verify-host.ts';
import type { DockerTlsError } from '../../../../src/errors/errors.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { runCli } from '../../../support/cli.ts';
import { importedStore } from '../../../support/imported-store.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { startTlsDaemon } from '../../../support/tls-daemon.ts';

const factory = new CertificateFactory();
const ca = factory.issue('ca', { ca: true });
const other = factory.issue('other', { ca: true });
const eve = factory.issue('eve', { by: ca, usage: 'clientAuth' });
const server = factory.issue('server', { by: ca, san: 'IP:127.0.0.1', usage: 'serverAuth' });
let home: string;

beforeEach(() => {
  home = newHome();
});
afterAll(() => {
  factory.remove();
  removeHomes();
});

const run = (...argv: string[]) =>
  runCli([...argv, '--home', home], { env: { HOME: home, DOCKER_CONFIG: `${home}/docker` } });

test('a host that rejects an imported client is named, and the fix is on the computer that set it up', async () => {
  const rejecting = await startTlsDaemon(factory, { server, trust: other });
  const accepting = await startTlsDaemon(factory, { server, trust: ca });
  try {
    await importedStore(home, { ca, eve }, [rejecting.port, accepting.port]);
    const { out } = await run('status');
    expect(out).toContain(`docker-tls --home ${home} doctor h0 --client eve\n`);
    expect(out).not.toMatch(/doctor h1|doctor eve/);
    // A newly signed client is rejected like a revoked one.
    expect((await run('doctor', 'h0')).out).toSay('computer-set', 'docker-tls apply h0');
  } finally {
    await Promise.all([rejecting.stop(), accepting.stop()]);
  }
});

test('status and verify of a host that does not answer', async () => {
  await importedStore(home, { ca, eve }, [1]);
  expect((await run('status', '--check')).out).toContain('doctor h0 --client eve');
  expect((await run('verify')).err).toMatch(/doctor h0 --client eve$/m);
  home = newHome();
  await issueStore(home, { hosts: { 'build-1': { port: 1 } }, clients: { laptop: undefined } });
  expect((await run('status', '--no-ssh')).out).toMatch(/^ {2}docker-tls .*doctor build-1$/m);
});

test('words that users try', () => {
  for (const word of ['check', 'test'])
    expect(findCommand([word])).toMatchObject({
      kind: 'unknown',
      nearest: expect.arrayContaining(['verify', 'doctor']),
    });
});

test('a host of the store that was not verified', () => {
  const found = { ok: false, outcome: 'timed-out', cause: 'timed-out', elapsedMs: 1 } as const;
  const check = { who: 'client ada', expected: 'accepted', ...found } as const;
  const hintsOf = (): DockerTlsError['hints'] => {
    try {
      requireVerified('old', [check], 'x');
    } catch (error) {
      return (error as DockerTlsError).hints;
    }
    return [];
  };
  expect(hintsOf()).toEqual(['docker-tls doctor old']);
});
