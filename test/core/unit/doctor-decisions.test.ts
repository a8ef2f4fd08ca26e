/** Decisions of `doctor` before and after the diagnosis, and the few pure parts of commands that run for a person. */

import { expect, test } from 'vitest';
import { asksHost, behindBastion, firstCause, journalTells } from '../../../src/core/adapters/docker/diagnosis.ts';
import type { StoreState } from '../../../src/core/adapters/store/records.ts';
import { missingPassphrase } from '../../../src/core/domain/schedule-jobs.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { environmentOf } from '../../../src/core/domain/secret-reference.ts';
import { throughTunnel } from '../../../src/core/domain/shell-environment.ts';
import { hostAt } from '../../../src/core/domain/trust/reachable-hosts.ts';
import type { ProbeOutcome } from '../../../src/core/runtime.ts';
import { sampleCa, sampleHost } from '../../support/store.ts';

test.each([
  [{ kind: 'accepted', status: 200 }, 'none'],
  [{ kind: 'accepted', status: 403 }, 'none'],
  [{ kind: 'accepted', status: 500 }, 'daemon-not-answering'],
  [{ kind: 'refused', cause: 'expired' }, 'expired'],
])('the cause of %j is %s', (outcome, cause) => {
  expect(firstCause(outcome as ProbeOutcome)).toBe(cause);
});

test('SSH is asked where it may tell more, the journal is shown where the daemon may be at fault', () => {
  for (const cause of ['plain-http', 'client-refused', 'reset'] as const) expect(asksHost(cause)).toBe(true);
  for (const cause of ['none', 'wrong-name', 'name-not-found', 'tls-off'] as const) expect(asksHost(cause)).toBe(false);
  expect(journalTells('reset', undefined)).toBe(true);
  expect(journalTells('client-refused', undefined)).toBe(false);
  for (const cause of ['timed-out', 'unreachable'] as const) expect(journalTells(cause, undefined)).toBe(false);
  expect(journalTells('connection-refused', { listens: false })).toBe(true);
  expect(journalTells('connection-refused', { listens: true })).toBe(false);
});

test('behind a bastion the tunnel comes first, unless something answered', () => {
  const found = (cause: 'timed-out' | 'expired') => behindBastion({ cause, message: '', hints: ['x'] }, 'web').hints;
  expect(found('timed-out')).toEqual(['docker-tls tunnel web -- docker version', 'x']);
  expect(found('expired')).toEqual(['x']);
});

test('the host that DOCKER_HOST leads to', () => {
  const state = { hosts: new Map([['web', sampleHost('web', 1)]]), clients: new Map() } as unknown as StoreState;
  for (const dialled of ['tcp://web.example:2376', 'tcp://web.example:2376//'])
    expect(hostAt(state, dialled)).toBe('web');
  for (const dialled of [undefined, '', 'tcp://web.example:2377', 'unix:///x'])
    expect(hostAt(state, dialled)).toBeUndefined();
});

test('a command in a tunnel goes to it and nowhere else, and learns no passphrase', () => {
  const env = { PATH: '/bin', DOCKER_HOST: 'x', DOCKER_CONTEXT: 'x', DOCKER_TLS: '1', DOCKER_TLS_CA_PASSPHRASE: 'x' };
  const led = { ...env, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/x' };
  expect(throughTunnel(led, 'unix:///s', '/c')).toEqual({ PATH: '/bin', DOCKER_HOST: 'unix:///s' });
  const tls = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/c' };
  expect(throughTunnel(led, 'tcp://127.0.0.1:1', '/c')).toEqual({
    PATH: '/bin',
    ...tls,
    DOCKER_HOST: 'tcp://127.0.0.1:1',
  });
});

test('variables that a fleet file takes secrets from, each once', () => {
  expect(environmentOf([undefined, 'env:A', 'file:B', 'prompt', 'env:A', 'env:C'])).toEqual(['A', 'C']);
});

test('a schedule that could not open the key of the CA says so', () => {
  const locked = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n';
  const ca = sampleCa(1);
  const of = (text: string | undefined, reference?: string) => {
    const key = text === undefined ? ca.keyPem : new Secret(text);
    return missingPassphrase({ ca: { ...ca, keyPem: key }, issuers: new Map() }, reference, 'cron');
  };
  expect(of(undefined)).toEqual([]);
  expect(of(locked)).toEqual([expect.stringContaining('docker-tls schedule --form cron --ca-passphrase-file FILE')]);
  expect(of(locked, 'prompt')).toHaveLength(1);
  expect([...of(locked, 'env:X'), ...of(locked, 'file:x')]).toEqual([]);
});
