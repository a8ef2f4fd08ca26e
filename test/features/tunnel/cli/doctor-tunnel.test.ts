/** Diagnoses of hosts that only SSH reaches (src/features/doctor/), whose clients use a tunnel. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { diagnose } from '../../../../src/features/doctor/domain/diagnose.ts';
import { behindBastion, type DiagnosisInput } from '../../../../src/features/doctor/domain/diagnosis.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';

const home = mkdtempSync(join(tmpdir(), 'docker-tls-doctor-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('a host behind a bastion is not dialled from here: the tunnel is named first', async () => {
  await issueStore(home, { hosts: { web: { address: '127.0.0.1', port: 1 } }, clients: { laptop: undefined } });
  const opened = openStore(home);
  const web = (await opened.read()).hosts.get('web');
  if (web === undefined) throw new Error('just written');
  const hosts = { web: { ...web, record: { ...web.record, reach: 'ssh' as const } } };
  await opened.withLock('test', () => opened.write({ hosts }));
  const { json } = await runCli(['doctor', 'web', '--no-ssh', '--timeout', '3s', '--json'], {
    env: { HOME: home, DOCKER_CONFIG: join(home, 'docker'), DOCKER_TLS_HOME: home },
  });
  expect(json.result.cause).toBe('connection-refused');
  expect(json.result.hints[0]).toBe('docker-tls tunnel web -- docker version');
});

test('behind a bastion the tunnel comes first, unless something answered', () => {
  const found = (cause: 'timed-out' | 'expired') => behindBastion({ cause, message: '', hints: ['x'] }, 'web').hints;
  expect(found('timed-out')).toEqual(['docker-tls tunnel web -- docker version', 'x']);
  expect(found('expired')).toEqual(['x']);
});

test('a host that answers through ssh is used through a tunnel, as the client that was named', () => {
  const input: DiagnosisInput = {
    outcome: { kind: 'accepted', status: 200, body: '{}', protocol: 'TLSv1.3', chain: '', elapsedMs: 1 },
    now: new Date(),
    env: {},
    expected: { name: 'web', host: 'tcp://10.0.0.1:2376', certPath: '/c', client: 'ci', named: true, via: 'a gate' },
  };
  const { cause, hints } = diagnose(input);
  expect([cause, hints]).toEqual(['none', ['docker-tls tunnel web --client ci -- docker version']]);
});
