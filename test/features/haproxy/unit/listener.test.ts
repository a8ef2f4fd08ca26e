/** HAProxy as the listener in the plan of a host: what it needs there, its files, and the connections that end. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { issueCa } from '../../../../src/core/domain/pki/certificate.ts';
import type { DesiredHost } from '../../../../src/core/domain/plan/desired.ts';
import { KINDS, kindOf } from '../../../../src/core/domain/plan/host-kind.ts';
import { plainTcpProblem } from '../../../../src/core/domain/plan/plain-tcp.ts';
import { planHost } from '../../../../src/core/domain/plan/plan-host.ts';
import { validationScript } from '../../../../src/core/domain/plan/validation.ts';
import { completeHost } from '../../../../src/core/domain/settings.ts';
import { certificateIds } from '../../../../src/core/domain/trust/ca-id.ts';
import { planCut } from '../../../../src/features/haproxy/domain/cut.ts';
import { checkRestored } from '../../../../src/features/haproxy/domain/haproxy-unit.ts';
import type { HaproxyListener } from '../../../../src/features/haproxy/domain/plan-listener.ts';
import { desired, factsOf } from '../../../support/host-facts.ts';
import { certificatesFor, chainHash, commonNameOf } from '../support/certificates.ts';
import { type HAPROXY, opened, planWith, restoreWith, SPEC } from '../support/opened-listener.ts';

// A kind without systemd, whether or not its feature is here.
KINDS.take('openrc', () => ({ ...kindOf({}), name: 'openrc', systemctl: [] }));

const STATE = '/var/lib/docker-tls';
const CERT = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';

const codes = async (...given: Parameters<typeof opened>) =>
  (await opened(...given)).problems.map(({ code, message }) => `${code} ${message}`);

test('what it needs on the host', async () => {
  expect(await codes()).toEqual([]);
  expect(await codes({ program: '' })).toEqual([expect.stringMatching(/^E_HAPROXY_MISSING HAProxy is not installed/)]);
  expect(await codes({ program: '/usr/sbin/haproxy; reboot' })).toEqual([expect.stringMatching(/^E_HAPROXY_MISSING/)]);
  expect(await codes({ version: 'HA-Proxy version 2.4.22' })).toEqual([
    expect.stringMatching(/^E_HAPROXY_OLD HAProxy 2\.4\.22/),
  ]);
  for (const socket of ['660 0 0 root', '600 0 104 docker', '660 0 994 UNKNOWN'])
    expect(await codes({ socket })).toEqual([expect.toSay('only-root-may-open', 'E_LISTENER', '/run/docker.sock')]);
  expect(await codes({ account: '' })).toEqual([expect.stringMatching(/^E_HAPROXY_MISSING .* no account haproxy/)]);
  expect(await codes({}, { kind: 'openrc' })).toEqual([expect.stringMatching(/^E_LISTENER .* needs systemd/)]);
});

test('what an installation would bring is in the plan, and what keeps it from that is said', async () => {
  const asked = completeHost({ ...SPEC, install: true });
  const opening = (offer: string, more: Partial<typeof HAPROXY> = {}) =>
    opened(
      { program: '', version: '', account: '', manager: 'apt', offer, ...more } as Partial<typeof HAPROXY>,
      {},
      { spec: asked },
    );
  const { listener, problems } = await opening('liblua5.4-0 5.4.7-1\nhaproxy 3.0.11-1+deb13u5\n');
  expect(problems).toEqual([]);
  expect(listener).toMatchObject({ title: 'HAProxy 3.0.11', packages: ['liblua5.4-0', 'haproxy'] });
  expect(listener.unit).toContain('exec /usr/sbin/haproxy ');
  expect(planWith(factsOf(), desired, listener).listener.packages).toEqual(['liblua5.4-0', 'haproxy']);
  const why = async (...given: Parameters<typeof opening>) =>
    (await opening(...given)).problems.map(({ code, message }) => `${code} ${message}`);
  expect(await why('no apt would remove docker.io\nhaproxy 3.0.11\n')).toEqual([
    expect.toSay('haproxy-not-installed-cannot', 'E_HAPROXY_MISSING'),
  ]);
  expect(await why('')).toEqual([expect.toSay('offers-no-package-haproxy')]);
  expect(await why('haproxy; reboot\n')).toEqual([expect.toSay('offers-no-package-haproxy')]);
  expect(await why('haproxy 2.4.22-0ubuntu1\n')).toEqual([expect.stringMatching(/^E_HAPROXY_OLD HAProxy 2\.4\.22/)]);
  expect((await opening('haproxy\n', { manager: 'dnf' } as Partial<typeof HAPROXY>)).listener.packages).toEqual([
    'haproxy',
  ]);
});

/** What a unit passes to HAProxy for descriptors with these names: the values of LISTEN3 and following. */
function startOf(unit: string): (names: string) => string {
  const [, script = ''] = /^ExecStart=\/bin\/sh -c '([\s\S]*?)'$/m.exec(unit) ?? [];
  const values = [...unit.matchAll(/^Environment=(LISTEN\d+)=(.*)$/gm)];
  // As systemd reads it, with a program in place of HAProxy.
  const shell = script
    .replaceAll('\\\n', '')
    .replaceAll('$$', '$')
    .replace(/exec .*$/, `echo "${values.map(([, name]) => `$${name}`).join(' ')}"`);
  const env = Object.fromEntries(values.map(([, name, value]) => [name, value]));
  return (names) =>
    execFileSync('sh', ['-c', shell], { env: { ...env, LISTEN_FDNAMES: names }, encoding: 'utf8' }).replace(/\n$/, '');
}

test('a configuration that comes back is checked as its unit would run it', async () => {
  const spec = completeHost({ ...SPEC, listen: ['192.0.2.1', '192.0.2.2'], sockets: ['traefik read'] });
  const { listener } = await opened({}, {}, { spec });
  const check = checkRestored(listener.unit, (path) => `${path}.new`, '/etc/docker/tls/7');
  expect(check).toBe(listener.check((path) => `${path}.new`, '/etc/docker/tls/7'));
  expect(check).toMatch(
    /^env LISTEN3=127.0.0.1:1 .*LISTEN5=127.0.0.1:3 TLS=\/etc\/docker\/tls\/7 .* -c -f \/etc\/docker\/tls\/haproxy\.cfg\.new$/,
  );
  expect(checkRestored('[Service]\nExecStart=/bin/sh -c x\n', (path) => path, '')).toBeUndefined();
});

test('each socket for containers has its own unit, and HAProxy finds it by its name', async () => {
  const spec = completeHost({ ...SPEC, sockets: ['ci monitor', 'traefik read'] });
  const { listener } = await opened({}, {}, { spec });
  const files = new Map(planWith(factsOf(), desired, listener).files.map((file) => [file.path, file]));
  const units = '/etc/systemd/system';
  expect(files.get(`${units}/docker-tls.socket`)?.after).not.toContain('.sock\n');
  expect(files.get(`${units}/docker-tls-role@.socket`)?.after).toContain('ListenStream=/run/docker-tls/%i.sock\n');
  for (const name of ['ci', 'traefik'])
    expect(files.get(`${units}/sockets.target.wants/docker-tls-role@${name}.socket`)).toMatchObject({
      ...{ kind: 'link', to: '../docker-tls-role@.socket' },
    });
  const passed = startOf(listener.unit);
  expect(passed('docker-tls.socket:ci:traefik')).toBe('fd@3 fd@4 fd@5');
  expect(passed('traefik:ci:docker-tls.socket')).toBe('fd@5 fd@4 fd@3');
  expect(passed('ci:docker-tls.socket:traefik')).toBe('fd@4 fd@3 fd@5');
  // A socket that HAProxy does not have (removed just now, or undone at boot) is never taken for the port or for another one.
  expect(passed('traefik:other:docker-tls.socket:ci')).toBe('fd@5 fd@6 fd@3');
  expect(passed('ci:other:traefik')).toBe(' fd@3 fd@5');
  // One that does not listen keeps neither the port nor the others from clients: HAProxy has it where nobody else may enter.
  expect(passed('docker-tls.socket:traefik')).toBe('fd@3 unix@%t/docker-tls-haproxy/LISTEN4 fd@4');
  expect(listener.unit).toContain(
    'Requires=docker-tls.socket\nWants=docker-tls-role@ci.socket docker-tls-role@traefik.socket\n',
  );
  const words = completeHost({ ...SPEC, sockets: ['esac read'] });
  expect(startOf((await opened({}, {}, { spec: words })).listener.unit)('esac:docker-tls.socket')).toBe('fd@4 fd@3');
});

test('also a host without sockets for containers knows its port by its name', async () => {
  expect(startOf((await opened()).listener.unit)('ci:docker-tls.socket')).toBe('fd@4');
});

test('two sockets with one name are refused', async () => {
  const spec = completeHost({ ...SPEC, sockets: ['ci read', 'ab read', 'ci monitor'] });
  expect(await codes({}, {}, { spec })).toEqual([expect.toSay('two-sockets-name', 'E_LISTENER', 'ci')]);
});

test('without a port there is no unit for one', async () => {
  const spec = completeHost({ ...SPEC, listen: ['none'], sockets: ['ci read'] });
  const { listener } = await opened({}, {}, { spec });
  const { files } = planWith(factsOf(), { ...desired, listen: ['none'] }, listener);
  expect(files.filter(({ path }) => path.includes('docker-tls.socket'))).toEqual([]);
  expect(listener.unit).toContain('Sockets=docker-tls-role@ci.socket\n');
  // A port that comes all the same is not taken for the socket.
  const passed = startOf(listener.unit);
  expect(passed('docker-tls.socket:ci')).toBe('fd@4');
});

test('a host where SELinux enforces is told what its policy may do', async () => {
  expect((await opened()).notes).toEqual([]);
  expect((await opened({ enforcing: '0' })).notes).toEqual([]);
  const { notes } = await opened({ enforcing: '1' });
  expect(notes).toEqual([
    expect.stringMatching(
      /haproxy_t.* from \/run\/docker\.sock.*semanage permissive -a.*cd \/root && ausearch --input-logs .*audit2allow.*permissive -d/,
    ),
  ]);
  // Allowed by then.
  const allowed = '/var/lib/selinux/targeted/active/modules/400/docker-tls-haproxy';
  expect((await opened({ enforcing: '1', allowed })).notes).toEqual([]);
  // The type of the socket names what has to be allowed; a program of another type is not confined as HAProxy.
  const labels = (program: string) => ({
    enforcing: '1',
    'program-label': program === '' ? '' : `system_u:object_r:${program}:s0`,
    'socket-label': 'system_u:object_r:container_var_run_t:s0',
  });
  expect((await opened(labels('haproxy_exec_t'))).notes).toEqual([
    expect.stringContaining('from /run/docker.sock (container_var_run_t)'),
  ]);
  expect((await opened(labels('bin_t'))).notes).toEqual([]);
  // HAProxy is not there yet: the label of the socket is not that of the program.
  expect((await opened({ ...labels(''), program: '' })).notes).toEqual([
    expect.stringContaining('from /run/docker.sock (container_var_run_t)'),
  ]);
});

test('a host where SELinux keeps HAProxy from compiling its patterns is refused', async () => {
  const denied = { enforcing: '1', execmem: '0 0', compiles: '+PCRE2_JIT' };
  expect(await codes(denied)).toEqual([expect.stringMatching(/^E_LISTENER SELinux denies every program/)]);
  expect(await codes({ ...denied, execmem: '1 1' })).toEqual([]);
  // Debian's policy has that setting, others have not; and not every HAProxy compiles patterns.
  expect(await codes({ ...denied, execmem: '' })).toEqual([]);
  expect(await codes({ ...denied, compiles: '' })).toEqual([]);
  expect(await codes({ ...denied, enforcing: '0' })).toEqual([]);
});

test('a host where AppArmor confines HAProxy is told which lines its profile needs', async () => {
  expect((await opened({ apparmor: 'haproxy (enforce)' })).notes).toEqual([
    // HAProxy links its own sockets to another name as it reloads.
    expect.stringMatching(/profile haproxy\).*"\/run\/docker\.sock rw,", "\/etc\/docker\/tls\/\*\* r,".*\/\*\* rwl,"/),
  ]);
  expect((await opened({ apparmor: 'haproxy (complain)' })).notes).toEqual([]);
});

test('a daemon that listens on TCP itself is not left as it is', async () => {
  const listening = (host: string) => ({ 'file:/etc/docker/daemon.json': `file 644 0:0\n{"hosts":["${host}"]}` });
  expect(await codes({}, listening('tcp://0.0.0.0:2376'))).toEqual([
    expect.stringMatching(/^E_LISTENER dockerd itself listens/),
  ]);
  // A host without a port does not want it.
  const local = completeHost({ ...SPEC, listen: ['none'], sockets: ['ci read'] });
  expect(await codes({}, listening('tcp://0.0.0.0:2376'), { spec: local })).toEqual([]);
  // Another port is left, unless it accepts every client.
  const other = listening('tcp://0.0.0.0:2375');
  expect(await codes({}, other)).toEqual([]);
  const { listener } = await opened();
  expect(plainTcpProblem(planWith(factsOf(other), desired, listener))).toEqual([
    expect.objectContaining({ message: expect.toSay('dockerd-accept-every-client') }),
  ]);
});

test('another CA whose clients would look like ours is refused', async () => {
  const ca = async (name: string) => (await issueCa({ name, days: 9, now: new Date() })).leaf;
  const [ours, fake, theirs] = await Promise.all([ca('docker-tls'), ca('client laptop'), ca('theirs')]);
  const spec = completeHost({ ...SPEC, otherClients: 'read' });
  expect(await codes({}, {}, { spec, cas: ours, otherCas: `${ours}${theirs}` })).toEqual([]);
  expect(await codes({}, {}, { cas: ours, otherCas: `${ours}${theirs}` })).toEqual([
    expect.toSay('host-accepts-clients-ca', 'E_LISTENER'),
  ]);
  expect(await codes({}, {}, { cas: ours, otherCas: `${theirs}${fake}` })).toEqual([
    expect.toSay('clients-ca-client-could', 'E_LISTENER', 'laptop'),
  ]);
});

test('with other CAs, the chains of ours are listed: issuing CAs of clients, and our CAs; none of the others', async () => {
  const ca = async (name: string) => (await issueCa({ name, days: 9, now: new Date() })).leaf;
  const [ours, issuer, theirs] = await Promise.all([ca('docker-tls'), ca('client laptop'), ca('theirs')]);
  const spec = completeHost({ ...SPEC, otherClients: 'read' });
  const { listener } = await opened({}, {}, { spec, cas: ours, issuers: issuer, otherCas: theirs });
  const lines = listener.files.get('/etc/docker/tls/issuers.list')?.trim().split('\n').slice(1);
  expect(lines).toEqual([ours, issuer].map(chainHash).sort());
});

test('another CA with two common names is refused: HAProxy reads the first, others the last', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-test-'));
  const file = join(directory, 'ca.pem');
  const subject = '/CN=client admin 01234567/CN=Corp';
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', subject];
  execFileSync('openssl', [...words, '-keyout', join(directory, 'key.pem'), '-out', file], { stdio: 'ignore' });
  const otherCas = readFileSync(file, 'utf8');
  rmSync(directory, { recursive: true });
  const spec = completeHost({ ...SPEC, otherClients: 'read' });
  expect(await codes({}, {}, { spec, otherCas })).toEqual([
    expect.stringMatching(/^E_LISTENER clients of the CA "Corp"/),
  ]);
});

test('a role that the host does not have is refused, and so is a rule that cannot be used', async () => {
  const clients = [{ name: 'prom', role: 'watch', direct: false }];
  await expect(opened({}, {}, { clients })).rejects.toMatchObject({ code: 'E_ROLE_UNKNOWN' });
  const spec = completeHost({
    ...SPEC,
    roles: ['watch GET /events', 'watch GET /../x'],
  });
  await expect(opened({}, {}, { clients, spec })).rejects.toMatchObject({ code: 'E_ROLE' });
});

test('the plan of a first setup starts HAProxy and leaves the daemon alone', async () => {
  const { listener } = await opened();
  const plan = planWith(factsOf(), desired, listener);
  expect(plan).toMatchObject({
    daemon: { action: 'none' },
    listener: { action: 'start' },
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

test('a line that was deleted by hand from the map still ends its connections', async () => {
  const first = await opened(
    {},
    {},
    {
      clients: [
        { name: 'laptop', direct: false },
        { name: 'ops', direct: false },
      ],
    },
  );
  const [both = ''] = [...first.listener.files].flatMap(([path, text]) => (path.endsWith('.map') ? [text] : []));
  const facts = {
    'file:/etc/docker/tls/clients.map': `file 644 0:0\n${both.replace(/.*ops.*\n/, '')}`,
    [`file:${STATE}/generations/1/manifest`]: 'file 600 0:0\n1\tfile\t644\t0:0\t/etc/docker/tls/clients.map\n',
    [`file:${STATE}/generations/1/1`]: `file 644 0:0\n${both}`,
    [`file:${STATE}/state.json`]: `file 600 0:0\n${JSON.stringify({ schema: 1, name: 'h1', generation: 1, generations: [], managed: [] })}`,
  };
  expect((await opened({}, facts)).listener.cut([])).toContain('client:ops');
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

test('connections of a socket for containers end when it gets another role, or its role other rules', () => {
  const texts = (role: string, allowed = '/a') => ({
    clients: '',
    config: [
      `frontend socket:ci\n  mode http\n  default_backend role-${role}`,
      ...['read', 'deploy'].map((name) => `backend role-${name}\n  acl allowed path ${allowed}\n  server socket:ci x`),
    ].join('\n\n'),
  });
  const ends = { keys: [], servers: ['role-deploy/socket:ci'] };
  expect(planCut(texts('deploy'), texts('deploy'), [], [])).toBeUndefined();
  expect(planCut(texts('deploy'), texts('read'), [], [])).toEqual(ends);
  expect(planCut(texts('deploy'), texts('deploy', '/b'), [], [])).toEqual(ends);
});

/** Facts of a host whose generation 1 has these files of docker-tls. */
function setUp(listener: HaproxyListener, more: Readonly<Record<string, string>> = {}) {
  const first = planWith(factsOf(), desired, listener);
  const files = first.files.map(({ kind, path, after, to, mode }) => [
    `file:${path}`,
    kind === 'link' ? `link 777 0:0\n${to}` : `file ${mode.slice(1)} 0:0\n${after}`,
  ]);
  const state = { schema: 1, name: 'h1', generation: 1, generations: [], managed: first.managed };
  const credentials = ['ca.pem', 'server-cert.pem'].flatMap((name) =>
    ['1', 'current'].map((directory) => [`file:/etc/docker/tls/${directory}/${name}`, `file 444 0:0\n${CERT}`]),
  );
  return factsOf({
    ...Object.fromEntries([...files, ...credentials]),
    'tls-socket': 'LoadState=loaded\nActiveState=active',
    modes: '',
    [`file:${STATE}/state.json`]: `file 600 0:0\n${JSON.stringify(state)}`,
    [`file:${STATE}/origin/manifest`]: `file 600 0:0\n${first.managed.map(({ path }, at) => `${at + 1}\tabsent\t-\t-\t${path}\n`).join('')}`,
    ...more,
  });
}

test('what a change does to a listener that is there', async () => {
  const { listener } = await opened({ service: 'ActiveState=active' });
  const facts = setUp(listener);
  const plan = (next: Partial<HaproxyListener>, other = facts, more: Partial<DesiredHost> = {}) =>
    planWith(other, { ...desired, ...more }, { ...listener, ...next }).listener;
  // The credentials of these facts are not those that are wanted.
  expect(plan({})).toMatchObject({ action: 'reload' });
  expect(plan({ active: false })).toMatchObject({ action: 'start', reason: expect.toSay('does-not-run') });
  expect(plan({}, setUp(listener, { 'tls-socket': 'ActiveState=inactive' }))).toMatchObject({ action: 'start' });
  // A package that was removed leaves its process, and so the service, running.
  expect(plan({ packages: ['haproxy'] })).toMatchObject({ action: 'restart', reason: expect.toSay('program-missing') });
  expect(plan({ unit: 'x' })).toMatchObject({ action: 'restart', reason: 'its unit changes' });
  expect(plan({}, facts, { port: 99 })).toMatchObject({
    action: 'restart',
    reason: expect.toSay('socket-unit-changes'),
  });
  // Whatever the action: the script reloads if the service is up by then.
  expect(plan({ cut: () => 'cut' }).cut).toBe('cut');
  expect(plan({ active: false, cut: () => 'cut' }).cut).toBe('cut');
  expect(planHost(facts, desired).listener).toMatchObject({ action: 'stop' });
  expect((await restoreWith(facts, 'none', desired)).plan).toMatchObject({
    daemon: { action: 'none' },
    listener: { action: 'stop' },
  });
});

test('the configuration is checked, and with the same certificate a first listener gets its own form of it', async () => {
  const { listener } = await opened();
  const [id = ''] = certificateIds(CERT);
  const state = { schema: 1, name: 'h1', generation: 1, generations: [], managed: [] };
  const facts = factsOf({
    ...Object.fromEntries(
      ['ca.pem', 'server-cert.pem'].map((name) => [`file:/etc/docker/tls/current/${name}`, `file 444 0:0\n${CERT}`]),
    ),
    'file:/etc/docker/tls/current': 'link 777 0:0\n1',
    modes: 'f 400 0:0\0/etc/docker/tls/current/server-key.pem\0d 700 0:0\0/etc/docker/tls/1\0',
    [`file:${STATE}/state.json`]: `file 600 0:0\n${JSON.stringify(state)}`,
  });
  const credentials = { trust: [id], certificate: { keep: [id] }, key: 'keep' } as const;
  expect(planHost(facts, { ...desired, credentials }).credentials).toBeUndefined();
  const plan = planWith(facts, { ...desired, credentials }, listener);
  expect(plan.credentials?.reason).toSay('haproxy-needs-them-form', '3.0.11');
  expect(validationScript(plan, facts, [], undefined)).toContain('/usr/sbin/haproxy -c -f');
});

test('a rollback of a listener ends the connections from before it', async () => {
  const { listener } = await opened({ service: 'ActiveState=active' });
  const map = '/etc/docker/tls/clients.map';
  const facts = setUp(listener, {
    [`file:${STATE}/generations/1/manifest`]: `file 600 0:0\n1\tfile\t644\t0:0\t${map}\n2\tfile\t644\t0:0\t/etc/systemd/system/docker-tls-haproxy.service\n`,
    [`file:${STATE}/generations/1/1`]: 'file 644 0:0\nother\n',
    [`file:${STATE}/generations/1/2`]: `file 644 0:0\n${listener.unit}`,
  });
  const kept = {
    ...facts,
    state: facts.state && {
      ...facts.state,
      managed: [
        { kind: 'file', path: map },
        { kind: 'file', path: '/etc/systemd/system/docker-tls-haproxy.service' },
      ],
    },
  };
  expect((await restoreWith(kept, 1, desired)).plan.listener).toMatchObject({
    ...{ action: 'reload', cut: 'kill -s TERM $WORKERS' },
    check: expect.stringContaining('/usr/sbin/haproxy -c -f'),
  });
});

test('a port that dockerd had before setup does not come back with the listener', async () => {
  const { listener } = await opened();
  const origin = {
    [`file:${STATE}/origin/manifest`]: 'file 600 0:0\n1\tfile\t644\t0:0\t/etc/default/docker\n',
    [`file:${STATE}/origin/1`]: 'file 644 0:0\nDOCKER_OPTS="-H tcp://0.0.0.0:2375"\n',
    'file:/etc/default/docker': 'file 644 0:0\nDOCKER_OPTS=""\n',
  };
  const managed = [{ kind: 'file', path: '/etc/default/docker' }];
  const state = { schema: 1, name: 'h1', generation: 1, generations: [], managed };
  const facts = factsOf({ ...origin, [`file:${STATE}/state.json`]: `file 600 0:0\n${JSON.stringify(state)}` });
  const plan = planWith(facts, desired, listener);
  expect(plan.opens).toEqual(['tcp://0.0.0.0:2375']);
  expect(plainTcpProblem(plan)).toEqual([expect.objectContaining({ code: 'E_OPENS_PLAIN_TCP' })]);
});

test("the administrator's own TLS settings in daemon.json come back with the listener", async () => {
  const { listener } = await opened();
  const own = { hosts: ['fd://', 'tcp://0.0.0.0:3376'], tlsverify: true, tlscacert: '/own/ca.pem' };
  const ours = {
    ...own,
    tlscacert: '/etc/docker/tls/current/ca.pem',
    tlscert: '/etc/docker/tls/current/server-cert.pem',
  };
  const managed = [{ kind: 'file', path: '/etc/docker/daemon.json' }];
  const state = { schema: 1, name: 'h1', generation: 1, generations: [], managed };
  const facts = factsOf({
    'file:/etc/docker/daemon.json': `file 644 0:0\n${JSON.stringify(ours)}`,
    [`file:${STATE}/origin/manifest`]: 'file 600 0:0\n1\tfile\t644\t0:0\t/etc/docker/daemon.json\n',
    [`file:${STATE}/origin/1`]: `file 644 0:0\n${JSON.stringify(own)}`,
    [`file:${STATE}/state.json`]: `file 600 0:0\n${JSON.stringify(state)}`,
  });
  const plan = planWith(facts, desired, listener);
  expect(JSON.parse(plan.daemonJson.after ?? '')).toEqual(own);
  expect(plan.opens).toEqual([]);
});
