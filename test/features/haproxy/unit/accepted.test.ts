import { expect, test } from 'vitest';
import { acceptedOf } from '../../../../src/features/haproxy/domain/accepted.ts';
import { renderConfig } from '../../../../src/features/haproxy/domain/haproxy-config.ts';
import { BUILT_IN_ROLES } from '../../../../src/features/haproxy/domain/roles.ts';

function listsOf(others?: { readonly role?: string }, binds = 1): ReadonlyMap<string, string> {
  const { config, clients } = renderConfig({
    ...{ binds, engineSocket: '/run/docker.sock', roles: BUILT_IN_ROLES, sockets: [], cli: '/run/admin.sock' },
    clients: [
      { name: 'root', role: 'full', by: ['issuer'] },
      { name: 'prom', role: 'monitor', by: ['issuer', 'subject'] },
    ],
    ownCas: ['our CA'],
    others,
  });
  return new Map([
    ['haproxy.cfg', config],
    ['clients.map', clients],
  ]);
}

test('a CA of ours has the clients of the list, with their roles; a revoked one has none', () => {
  const lists = listsOf();
  expect(acceptedOf(lists, 'client root 01234567')).toEqual([{ client: 'root', role: 'full' }]);
  expect(acceptedOf(lists, 'client prom 89abcdef')).toEqual([{ client: 'prom', role: 'monitor' }]);
  expect(acceptedOf(lists, 'our CA')).toEqual([
    { client: 'prom', role: 'monitor' },
    { client: 'root', role: 'full' },
  ]);
  expect(acceptedOf(lists, 'client gone 01234567')).toEqual([]);
  expect(acceptedOf(listsOf({ role: 'read' }), 'client gone 01234567')).toEqual([]);
});

test('clients of another CA have the role of all others, or none', () => {
  expect(acceptedOf(listsOf({ role: 'read' }), 'Other CA')).toEqual([{ role: 'read' }]);
  expect(acceptedOf(listsOf({}), 'Other CA')).toEqual([]);
  expect(acceptedOf(listsOf(), 'Other CA')).toEqual([]);
  expect(acceptedOf(new Map(), 'Other CA')).toEqual([]);
});

test('on a host without a port nobody is accepted, whatever its map says', () => {
  for (const ca of ['client root 01234567', 'our CA', 'Other CA'])
    expect(acceptedOf(listsOf({ role: 'read' }, 0), ca)).toEqual([]);
});
