/** HAProxy as the listener in the plan of a host: what it needs there, its files, and the connections that end. */

import { expect, test } from 'vitest';
import { issueCa } from '../../../../src/core/domain/pki/certificate.ts';
import { planHost } from '../../../../src/core/domain/plan/plan-host.ts';
import { completeHost } from '../../../../src/core/domain/settings.ts';
import type { HostSession } from '../../../../src/core/runtime.ts';
import type { ListenerRequest } from '../../../../src/core/seams/listeners.ts';
import { planCut } from '../../../../src/features/haproxy/domain/cut.ts';
import { openListener } from '../../../../src/features/haproxy/engine/open-listener.ts';
import { desired, factsOf } from '../../../support/host-facts.ts';
import { printSections } from '../../../support/sections.ts';
import { certificatesFor, commonNameOf } from '../support/certificates.ts';

const HAPROXY = {
  program: '/usr/sbin/haproxy',
  version: 'HAProxy version 3.0.11-1+deb13u5 2026/11/18 - https://haproxy.org/',
  account: 'haproxy:x:100:103::/var/lib/haproxy:/usr/sbin/nologin',
  socket: '660 0 104 docker',
  service: 'LoadState=not-found\nActiveState=inactive\nMainPID=0',
};

function opened(
  more: Partial<typeof HAPROXY> = {},
  facts: Readonly<Record<string, string | undefined>> = {},
  request: Partial<ListenerRequest> = {},
) {
  const texts = Object.entries({ ...HAPROXY, ...more, done: '' });
  const stdout = printSections(
    'listener',
    texts.map(([name, text]) => ({ name, content: Buffer.from(text) })),
  );
  const session = {
    host: 'h1',
    login: { destination: 'h1', user: 'root' },
    run: async () => ({ status: 0, stdout, stderr: '' }),
  } as unknown as HostSession;
  const spec = completeHost({ name: 'h1', ssh: { destination: 'h1' }, listener: 'haproxy' });
  return openListener(
    {
      ...{ session, spec, facts: factsOf(facts), cas: '', issuers: '', otherCas: '', revoked: [] },
      clients: [{ name: 'laptop', issuer: true }],
      ...request,
    },
    { signal: undefined as unknown as AbortSignal },
  );
}

const codes = async (...given: Parameters<typeof opened>) =>
  (await opened(...given)).problems.map(({ code, message }) => `${code} ${message}`);

test('what it needs on the host', async () => {
  expect(await codes()).toEqual([]);
  expect(await codes({ program: '' })).toEqual([expect.stringMatching(/^E_HAPROXY_MISSING HAProxy is not installed/)]);
  expect(await codes({ program: '/usr/sbin/haproxy; reboot' })).toEqual([expect.stringMatching(/^E_HAPROXY_MISSING/)]);
  expect(await codes({ version: 'HA-Proxy version 2.4.22' })).toEqual([
    expect.stringMatching(/^E_HAPROXY_OLD HAProxy 2\.4\.22/),
  ]);
  expect(await codes({ account: '' })).toEqual([expect.stringMatching(/^E_HAPROXY_MISSING .* no account haproxy/)]);
  expect(await codes({}, { kind: 'openrc' })).toEqual([expect.stringMatching(/^E_LISTENER .* needs systemd/)]);
  expect(await codes({}, { kind: 'podman' })).toEqual([expect.stringMatching(/^E_LISTENER only root may open/)]);
});

test('a daemon that listens on TCP itself is not left as it is', async () => {
  const listening = (host: string) => ({ 'file:/etc/docker/daemon.json': `file 644 0:0\n{"hosts":["${host}"]}` });
  expect(await codes({}, listening('tcp://0.0.0.0:2376'))).toEqual([
    expect.stringMatching(/^E_LISTENER dockerd itself listens/),
  ]);
  expect(await codes({}, listening('tcp://0.0.0.0:2375'))).toEqual([
    expect.stringMatching(/^E_LISTENER dockerd accepts every client/),
  ]);
});

test('another CA whose clients would look like ours is refused', async () => {
  const ca = async (name: string) => (await issueCa({ name, days: 9, now: new Date() })).leaf;
  const [ours, fake, theirs] = await Promise.all([ca('docker-tls'), ca('client laptop'), ca('theirs')]);
  expect(await codes({}, {}, { cas: ours, otherCas: `${ours}${theirs}` })).toEqual([]);
  expect(await codes({}, {}, { cas: ours, otherCas: `${theirs}${fake}` })).toEqual([
    expect.stringMatching(/^E_LISTENER clients of the CA "client laptop [0-9a-f]{8}" could pass for ours/),
  ]);
});

test('a role that the host does not have is refused, and so is a rule that cannot be used', async () => {
  const clients = [{ name: 'prom', role: 'watch', issuer: true }];
  await expect(opened({}, {}, { clients })).rejects.toMatchObject({ code: 'E_ROLE_UNKNOWN' });
  const spec = completeHost({
    ...{ name: 'h1', ssh: { destination: 'h1' }, listener: 'haproxy' as const },
    roles: ['watch GET /events', 'watch GET /../x'],
  });
  await expect(opened({}, {}, { clients, spec })).rejects.toMatchObject({ code: 'E_ROLE' });
});

test('the plan of a first setup starts HAProxy and leaves the daemon alone', async () => {
  const { desired: listener } = await opened();
  const plan = planHost(factsOf(), { ...desired, listener });
  expect(plan).toMatchObject({
    daemon: { action: 'none' },
    listener: { action: 'start', cut: '' },
    containers: { how: 'untouched' },
  });
  expect(plan.listener.check).toContain('/etc/docker/tls/haproxy.cfg.docker-tls-new');
  expect(plan.listener.check).toContain('TLS=/etc/docker/tls/1');
  expect(plan.files.map(({ path }) => path).filter((path) => path.includes('docker.service.d'))).toEqual([]);
});

test('connections of clients that lose access end, and no others', async () => {
  const certificates = await certificatesFor(['laptop', 'ops']);
  const { authorities } = certificates;
  const ca = certificates.ca.leaf;
  const map = (...lines: string[]) => ({ clients: `# Written by docker-tls.\n${lines.join('\n')}\n`, config: '' });
  const [laptop, ops] = ['issuer:laptop laptop/full/client:laptop', 'issuer:ops ops/full/client:ops'];
  const gone = { keys: ['issuer:ops'], servers: ['full/client:ops'] };
  expect(planCut(map(laptop, ops), map(laptop, ops), [], [])).toBeUndefined();
  expect(planCut(map(laptop, ops), map(laptop), [], [])).toEqual(gone);
  expect(planCut(map(laptop, ops), map(laptop, 'issuer:ops ops/read/client:ops'), [], [])).toEqual(gone);
  // A new key of the same client: the map is the same, its former issuing CA goes.
  expect(planCut(map(laptop, ops), map(laptop, ops), [authorities[1] as string], [])).toEqual({ ...gone, keys: [] });
  // Our CA goes when a host gets a list of clients; those of any other CA cannot be told apart.
  expect(planCut(map(laptop), map(laptop), [ca], [commonNameOf(ca)])).toBeUndefined();
  expect(planCut(map(laptop), map(laptop), [ca], [])).toEqual({ keys: [], servers: '*' });
  const damaged = '-----BEGIN CERTIFICATE-----\nx\n';
  expect(planCut(map(laptop), map(laptop), [damaged], [])).toEqual({ keys: [], servers: '*' });
  // A line that is not ours reaches no command.
  expect(planCut(map('issuer:x;reboot x/full/client:x'), map(laptop), [], [])).toBeUndefined();
});

test('connections end as well when a role gets other rules, or clients of other CAs another role', () => {
  const texts = (allowed: string, otherBackend: string) => ({
    clients: 'issuer:ci ci/deploy/client:ci\nissuer:laptop laptop/full/client:laptop\n',
    config: ['full', 'role-deploy', 'role-read']
      .map((name) => {
        const rules = name === 'role-deploy' ? `  acl allowed path ${allowed}\n` : '';
        return `backend ${name}\n${rules}${name === otherBackend ? '  server other x\n' : ''}  server client:a x`;
      })
      .join('\n\n'),
  });
  expect(planCut(texts('/a', 'full'), texts('/a', 'full'), [], [])).toBeUndefined();
  expect(planCut(texts('/a', ''), texts('/b', ''), [], [])).toEqual({
    keys: ['issuer:ci'],
    servers: ['role-deploy/client:ci'],
  });
  expect(planCut(texts('/a', 'full'), texts('/a', 'role-read'), [], [])).toEqual({ keys: [], servers: ['full/other'] });
});
