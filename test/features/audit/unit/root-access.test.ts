/** Who can become root on a host: every way, in the table, the picture and the JSON. */

import { expect, test } from 'vitest';
import { fingerprintOf } from '../../../../src/core/domain/pki/ssh-wire.ts';
import { renderHtml } from '../../../../src/features/audit/domain/report/html.ts';
import { auditHost, reportHead } from '../../../../src/features/audit/domain/report/report.ts';
import { auditReportDocument } from '../../../../src/features/audit/domain/report/report-document.ts';
import { renderAuditTable } from '../../../../src/features/audit/domain/report/report-table.ts';
import { type Alteration, altered } from '../support/audit-facts.ts';

const KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ';
const ACCOUNTS = {
  groups: 'root:0:\nsudo:27:ada\ndocker:998:ci\n',
  users: 'root:0:0\nada:1000:1000\nci:1002:1002\ntoor:0:0\n',
  'docker-group': 'docker:x:998:ci\n',
  sudoers:
    '/etc/sudoers:%sudo ALL=(ALL:ALL) ALL\n/etc/sudoers.d/ci:ci ALL=(root) NOPASSWD: /usr/bin/docker\n/etc/sudoers:@include /x\n',
  'root-keys': `ssh-ed25519 ${KEY} ada@laptop of 2026\r\n`,
  'root-password': 'set',
};
const ways = (name: Parameters<typeof altered>[0], change: Alteration, ourCas?: ReadonlySet<string>) =>
  auditHost('web', altered(name, change), { ourCas }).access;
const way = (who: string, how: string) => expect.objectContaining({ who, how });

test('accounts: docker group, sudo, user ID 0, keys of root', () => {
  const found = ways('fresh-trixie', { sections: ACCOUNTS });
  expect(found).toContainEqual(way('ci', 'docker group'));
  expect(found).toContainEqual(way('ada (group sudo)', 'sudo: ALL'));
  expect(found).toContainEqual(way('ci', 'sudo without a password: /usr/bin/docker'));
  expect(found).toContainEqual(way('cannot tell', expect.toSay('audit-does-not-understand', '@include', '/x')));
  expect(found).toContainEqual(way('user toor', 'user ID 0'));
  const fingerprint = fingerprintOf(Buffer.from(KEY, 'base64'));
  expect(found).toContainEqual(way(`key ${fingerprint} (ada@laptop of 2026)`, expect.toSay('login-root-ssh')));
});

test("keys of root's count only where sshd lets root in", () => {
  const sections = { ...ACCOUNTS, 'sshd 0': 'permitrootlogin no' };
  const byKey = (match: string) =>
    ways('fresh-trixie', { sections: { ...sections, 'sshd-match': match } }).some(
      ({ how }) => how === 'login as root by SSH',
    );
  expect(byKey('Match User ci\nPermitRootLogin No')).toBe(false);
  expect(byKey('Match Address 10.0.0.0/8\nPermitRootLogin prohibit-password')).toBe(true);
});

test('files that root runs and others may write, and ways out of containers', () => {
  const found = ways('bad-trixie', {});
  expect(found).toContainEqual(
    expect.objectContaining({ who: 'every local user', how: expect.toSay('can-change-what-root'), grave: true }),
  );
  for (const how of [/docker\.sock is mounted on/, /privileged/, /process/])
    expect(found.some((one) => how.test(one.how) && one.who.startsWith('container '))).toBe(true);
  expect(ways('good-trixie', {}).some(({ how }) => how === 'can change what root runs or reads')).toBe(false);
});

test('a socket with a role is a way of that role, and no way to root', () => {
  const source = '/run/docker-tls/traefik.sock';
  const mounted = (container: object) => ({
    ...container,
    Mounts: [{ Type: 'bind', Source: source, Destination: '/var/run/docker.sock', RW: true }],
  });
  const found = ways('bad-trixie', { api: { '/containers/': mounted } }).filter(({ where }) => where === source);
  expect(found.length).toBeGreaterThan(0);
  for (const one of found) expect(one).toMatchObject({ how: expect.toSay('socket-role'), grave: false });
});

test('where a listener accepts clients, each CA has the clients and roles that the listener gives it', () => {
  const facts = altered('setup-trixie', {});
  const ca = 'clients of ';
  const [first] = auditHost('web', facts, {}).access.filter(({ who }) => who.startsWith(ca));
  const subject = first?.who.slice(ca.length) ?? '';
  const seen = (accepted: readonly { readonly client?: string; readonly role: string }[], ours?: ReadonlySet<string>) =>
    auditHost('web', facts, {
      ourCas: ours,
      listener: { at: 'web:2376', acceptedOf: (name) => (subject === `CN=${name}` ? accepted : []) },
    }).access.filter(({ who }) => who.endsWith(` of ${subject}`));
  expect(seen([{ client: 'prom', role: 'read' }])).toMatchObject([
    { who: expect.toSay('client-of-ca', 'prom', subject), role: 'read', where: 'web:2376', grave: false },
  ]);
  // Only full clients of another CA are root.
  expect(seen([{ role: 'read' }], new Set())).toMatchObject([
    { who: `clients of ${subject}`, role: 'read', grave: false },
  ]);
  expect(seen([{ role: 'full' }], new Set())).toMatchObject([{ who: `clients of ${subject}`, grave: true }]);
  expect(seen([{ role: 'full' }])[0]?.role).toBeUndefined();
  expect(seen([])).toEqual([]);
});

test('a CA of others is a finding only where the listener accepts one of its clients', () => {
  const state = (accepted: readonly { readonly role: string }[]) =>
    auditHost('web', altered('setup-trixie', {}), {
      ourCas: new Set(),
      listener: { at: 'web:2376', acceptedOf: () => accepted },
    }).results.find(({ id }) => id === 'tls.2')?.state;
  expect(state([{ role: 'read' }])).toBe('finding');
  expect(state([])).not.toBe('finding');
});

test('clients of a CA, with its last day; of another CA in red', () => {
  const [ours] = ways('setup-trixie', {}).filter(({ who }) => who.startsWith('clients of '));
  expect(ours).toMatchObject({ how: 'certificate', grave: false, expires: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) });
  const [others] = ways('setup-trixie', {}, new Set()).filter(({ who }) => who.startsWith('clients of '));
  expect(others).toMatchObject({ how: 'certificate of another CA', grave: true });
});

test('terminal, page and JSON have the same ways', () => {
  const subject = auditHost('<web>', altered('bad-trixie', { sections: ACCOUNTS }));
  const report = {
    ...reportHead(new Date('2026-11-30T10:00:00Z'), '0', '1.8'),
    subjects: [subject],
    comparison: undefined,
  };
  const text = renderAuditTable(report, { columns: 200 });
  const page = renderHtml(report);
  const [host] = auditReportDocument(report).subjects;
  expect(text).toSay('can-become-root');
  expect(text).toContain('  user toor: user ID 0 (/etc/passwd)\n');
  expect(text.indexOf('user toor:')).toBeLessThan(text.indexOf('ada (group sudo):'));
  expect(page).toContain('<svg class="root"');
  expect(page).toContain('aria-label="who can become root on &lt;web&gt;"');
  expect(page.match(/<title>user toor<\/title>/g)).toHaveLength(1);
  expect(host?.kind === 'host' && host.access).toContainEqual({
    ...{ who: 'user toor', how: 'user ID 0', where: '/etc/passwd', grave: true },
    ...{ role: undefined, expires: undefined },
  });
});
