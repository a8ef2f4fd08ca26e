/** When a change skips `dockerd --validate`: any possible difference since the daemon's start requires it. */

import { expect, test } from 'vitest';
import { issueCa, issueServer } from '../../../src/core/domain/pki/certificate.ts';
import type { FileChange } from '../../../src/core/domain/plan/file-change.ts';
import type { HostPlan } from '../../../src/core/domain/plan/plan-host.ts';
import { isInUse } from '../../../src/core/domain/plan/validation.ts';
import { FACTS_TIME_MS, factsOf, sent, UNIT } from '../../support/host-facts.ts';

const now = new Date(FACTS_TIME_MS);
const authority = await issueCa({ name: 'CA', days: 30, now });
const certOf = async (keyType: 'p256' | 'ed25519'): Promise<string> =>
  (await issueServer({ ca: authority, sans: [{ kind: 'dns', value: 'h1' }], days: 3, keyType, now })).cert;
const [before, after, other] = await Promise.all([certOf('p256'), certOf('p256'), certOf('ed25519')]);
const CURRENT = { kind: 'link', path: '/etc/docker/tls/current' } as FileChange;
const DROP_IN = {
  kind: 'file',
  path: '/etc/systemd/system/docker.service.d/zz-docker-tls.conf',
} as FileChange;

function inUse(
  more: Readonly<Record<string, string | undefined>>,
  { files = [CURRENT], cert = after }: { files?: readonly FileChange[]; cert?: string } = {},
): boolean {
  const facts = factsOf({
    runs: '/usr/sbin/dockerd',
    'file:/etc/docker/tls/current/ca.pem': `file 444 0:0\n${authority.cert}`,
    'file:/etc/docker/tls/current/server-cert.pem': `file 444 0:0\n${before}`,
    ...more,
  });
  return isInUse({ files } as HostPlan, facts, { ...sent, cert });
}

test('new certificates alone are nothing to ask it about', () => {
  expect(inUse({})).toBe(true);
});

test.each<readonly [string, Parameters<typeof inUse>[0], { files?: readonly FileChange[]; cert?: string }]>([
  ['a file of its settings changes', {}, { files: [CURRENT, DROP_IN] }],
  ['the key is of another type', {}, { cert: other }],
  ['its settings were edited since it started', { edited: '/etc/docker/daemon.json' }, {}],
  ['its host cannot say whether they were', { edited: undefined }, {}],
  [
    'its configuration file is another, which is not looked at for edits',
    { [`file:${UNIT}`]: 'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd --config-file=/opt/daemon.json\n' },
    {},
  ],
  ['it does not run', { unit: 'LoadState=loaded\nActiveState=inactive' }, {}],
  ['another program is in its place', { runs: undefined }, {}],
  ['its unit starts another program than the one that runs', { dockerd: '/usr/local/bin/dockerd' }, {}],
  ['it had no certificate of ours', { 'file:/etc/docker/tls/current/server-cert.pem': 'absent' }, {}],
  ['none can read its certificate', { 'file:/etc/docker/tls/current/server-cert.pem': 'file 444 0:0\nx' }, {}],
])('it is asked where %s', (_what, facts, change) => {
  expect(inUse(facts, change)).toBe(false);
});
