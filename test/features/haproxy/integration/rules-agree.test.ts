import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  allows,
  BUILT_IN_ROLES,
  findRole,
  parseRole,
  type Role,
} from '../../../../src/features/haproxy/domain/roles.ts';
import { certificatesFor } from '../support/certificates.ts';
import { type Listener, startListener } from '../support/listener.ts';

const OWN = parseRole('own', [
  'GET,HEAD /containers/*/logs',
  'POST,DELETE /containers/*',
  'GET /images/**/json',
  'GET /images/**',
  'PUT /a.b+c:d@e_f-g',
]);
if ('problems' in OWN) throw new Error(OWN.problems.join('\n'));
const ROLES: readonly Role[] = [findRole(BUILT_IN_ROLES, 'read'), findRole(BUILT_IN_ROLES, 'monitor'), OWN.role];
let listener: Listener;
let certificates: Awaited<ReturnType<typeof certificatesFor>>;

beforeAll(async () => {
  certificates = await certificatesFor(ROLES.map(({ name }) => name));
  listener = await startListener({
    server: certificates.server,
    trusted: [certificates.ca.leaf],
    clients: ROLES.map(({ name }) => ({ name, role: name, by: ['issuer' as const] })),
    ownCas: [],
    roles: ROLES,
    sockets: [],
  });
});
afterAll(() => listener?.stop());

const segment = fc.oneof(
  fc.constantFrom(
    'containers',
    'images',
    'json',
    'logs',
    'stats',
    'info',
    '_ping',
    'services',
    'a.b+c:d@e_f-g',
    'axb+c:d@e_f-g',
  ),
  fc.constantFrom('a', 'app', 'v1.45', 'v2', '..', '.', '', '*', '%2e%2e', 'a;b', '-a', '.a', 'A', 'sha256:0a'),
  fc.stringMatching(/^[A-Za-z0-9_.:@+*;,~%-]{1,6}$/),
);
/** Requests near the lines of the roles: most have the beginning or the end of one. */
const request = fc
  .tuple(
    fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'PATCH'),
    fc.constantFrom('', '/v1.45', '/v1.24', '/v1', '/v1.45/v1.45', '/V1.45'),
    fc.oneof(
      fc.array(segment, { minLength: 1, maxLength: 4 }),
      fc
        .tuple(fc.constantFrom('containers', 'images', 'services'), segment, fc.constantFrom('logs', 'json', 'stats'))
        .map((parts) => [...parts]),
      fc.tuple(fc.constant('images'), segment, segment, fc.constantFrom('json', 'history')).map((parts) => [...parts]),
    ),
  )
  .map(([method, version, parts]) => `${method} ${version}/${parts.join('/')}`);

/** Lines of a role as requests, without those that never end. */
function filled(role: Role): string[] {
  const lines = role.patterns.filter(({ path }) => path !== '/events');
  return lines.map(({ methods, path }) => `${methods[0]} ${path.replace('**', 'team/app:1').replaceAll('*', 'app')}`);
}

/** The status of each request, 16 at a time, each on a connection of its own. */
async function statusesOf(name: string, requests: readonly string[]): Promise<string[]> {
  const statuses: string[] = [];
  const waiting = [...requests.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, line] = next;
      const bytes = `${line} HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
      const text = await listener.send(certificates.clients.get(name), bytes, { idleMs: 5000 });
      statuses[index] = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 'none';
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return statuses;
}

test.each(ROLES.map(({ name }) => name))('HAProxy and `role test` agree on the role %s', async (name) => {
  const role = ROLES.find((one) => one.name === name) as Role;
  const requests = [...filled(role), ...fc.sample(request, 150)];
  const statuses = await statusesOf(name, requests);
  const different = requests
    .map((one, index) => `${one}: ${statuses[index]}`)
    .filter((_, index) => (statuses[index] === '200') !== (allows(role, requests[index] ?? '') !== undefined));
  expect(different).toEqual([]);
  const allowed = statuses.filter((status) => status === '200').length;
  expect(allowed).toBeGreaterThanOrEqual(role.patterns.length - 1);
  expect(allowed).toBeLessThan(requests.length - 50);
});
