import { expect, test } from 'vitest';
import { clientAuthorityName } from '../../../../src/core/domain/pki/profiles.ts';
import {
  clientKey,
  clientServer,
  ISSUING_CA,
  renderClients,
  socketServer,
} from '../../../../src/features/haproxy/domain/client-keys.ts';
import { type HaproxyInput, renderConfig } from '../../../../src/features/haproxy/domain/haproxy-config.ts';
import { quoted } from '../../../../src/features/haproxy/domain/quoted.ts';
import { BUILT_IN_ROLES } from '../../../../src/features/haproxy/domain/roles.ts';

const INPUT: HaproxyInput = {
  binds: 1,
  engineSocket: '/run/docker.sock',
  clients: [],
  ownCas: [],
  roles: BUILT_IN_ROLES,
  sockets: [],
  cli: '/run/docker-tls/admin.sock',
};
const client = (name: string, ...by: ('issuer' | 'subject')[]) => ({ name, by, role: 'read' });

test('the key of a client is the name in its issuing CA', () => {
  for (const name of ['prom', 'eve@home+1', 'a'.repeat(64)]) {
    const authority = clientAuthorityName(name);
    expect(authority).toMatch(new RegExp(ISSUING_CA));
    expect(clientKey(name, 'issuer')).toBe(`issuer:${authority.split(' ')[1]}`);
  }
  expect(clientKey('prom', 'subject')).toBe('subject:prom');
});

test('two clients that cannot be told apart are refused, a revoked one included', () => {
  const long = 'a'.repeat(48);
  expect(() => renderClients([client(`${long}b`, 'issuer'), client(`${long}c`, 'issuer')], [])).toThrow(
    expect.objectContaining({ code: 'E_CLIENTS_ALIKE' }),
  );
  expect(() => renderClients([client(`${long}b`, 'issuer')], [`${long}c`])).toThrow(expect.toSay('cannot-told-apart'));
  expect(() => renderClients([client('prom', 'issuer')], ['prom'])).not.toThrow();
  expect(renderClients([client('prom', 'issuer', 'subject')], [])).toBe(
    'issuer:prom prom/read/client:prom\nsubject:prom prom/read/client:prom\n',
  );
});

test('names of servers are those that HAProxy takes, and differ', () => {
  const names = ['a@b', 'a+b', 'a40b', 'a.b', 'a_b', 'a-b'];
  const servers = [...names.map(clientServer), ...names.map(socketServer)];
  expect(new Set(servers).size).toBe(servers.length);
  for (const server of servers) expect(server).toMatch(/^[A-Za-z0-9_.:-]+$/);
});

test('a text of a certificate stays one word of the configuration', () => {
  expect(quoted(`O'Hara "x" $HOME #1 \\`)).toBe(`'O'\\''Hara "x" $HOME #1 \\'`);
  expect(() => quoted('a\nuser root')).toThrow(/line break/);
});

test('what is not used is not in the configuration', () => {
  const { config } = renderConfig(INPUT);
  expect(config).not.toMatch(/^ {2}(?:user|group) /m);
  expect(config).not.toContain('known_chain');
  expect(config).not.toContain('other client');
  const { config: socketOnly } = renderConfig({
    ...INPUT,
    binds: 0,
    roles: BUILT_IN_ROLES.filter(({ name }) => name === 'read'),
    sockets: [{ name: 'traefik', role: 'read' }],
  });
  expect(socketOnly).not.toContain('ssl crt');
  expect(socketOnly).toContain(`bind "\${LISTEN3}"\n`);
  expect(renderConfig({ ...INPUT, user: { user: 'haproxy', group: 'docker' } }).config).toContain(
    '  user haproxy\n  group docker\n',
  );
});

test('sockets that take all their connections leave those of the port', () => {
  const connections = (count: number) => {
    const sockets = Array.from({ length: count }, (_, index) => ({ name: `s${index}`, role: 'read' }));
    const { config } = renderConfig({ ...INPUT, sockets });
    return [...config.matchAll(/^ {2}maxconn (\d+)$/gm)].map(([, number]) => Number(number));
  };
  for (const count of [0, 1, 10, 11, 30, 400]) {
    const [all = 0, port = 0, ...each] = connections(count);
    expect(each).toHaveLength(count);
    expect(all).toBe(each.reduce((sum, one) => sum + one, port));
    // HAProxy needs two files for each: hosts with a limit of 20,000 are common.
    expect(all).toBeLessThan(6500);
  }
});

test('connections are counted for an IPv6 network of 64 bits, of which one computer may have every address', () => {
  const { config } = renderConfig({
    ...{ binds: 1, engineSocket: '/run/docker.sock', clients: [], ownCas: [], roles: [], sockets: [], cli: '/run/x' },
  });
  expect(config).toContain('track-sc1 src,ipmask(32,64) table addresses');
});
