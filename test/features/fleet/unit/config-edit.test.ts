import { expect, test } from 'vitest';
import { parseSan } from '../../../../src/core/domain/pki/san.ts';
import { completeHost, type HostSpec } from '../../../../src/core/domain/settings.ts';
import { DockerTlsErrors } from '../../../../src/errors/errors.ts';
import { addClientToFleet, addHostToFleet } from '../../../../src/features/fleet/domain/edit.ts';
import { parseFleet } from '../../../../src/features/fleet/domain/fleet.ts';

const FLEET = `# yaml-language-server: $schema=fleet.schema.json
# Hosts of the build farm. Ask Ada before you add one.
version: 1

defaults:
    ssh: {user: root} # everywhere
    clients: [ops]
    confirm-within: 3m

hosts:
    # The old one, to be replaced in spring.
    build-1: build-1.example.org   # rack 4
    build-2:
        ssh:
            destination: 10.0.0.12 # no DNS yet
            identities:
                - ~/.ssh/build
        days: 397 # the default, said out loud
        confirm-within: 90s
        sudo-password: prompt

# People.
clients:
    ops: # all of us
    ci: {days: 30}
`;

function host(name: string, more: Partial<HostSpec> = {}): HostSpec {
  return completeHost({
    name,
    ssh: { destination: name, user: 'root' },
    clients: ['ops'],
    confirmWithin: 180,
    ...more,
  });
}

function hostOf(text: string, name: string): HostSpec | undefined {
  return parseFleet(text, 'fleet.yaml').hosts.find((one) => one.name === name);
}

/** Lines that an edit removed (-) and added (+). */
function changed(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  return [
    ...old.filter((line) => !now.includes(line)).map((line) => `-${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `+${line}`),
  ];
}

test('a new file begins with what to do with it', () => {
  const spec = completeHost({ name: 'build-1', ssh: { destination: 'build-1.example.org', user: 'root' } });
  const text = addHostToFleet(undefined, spec);
  expect(text).toMatch(
    /^# .*docker-tls plan -f FILE; .*docker-tls apply -f FILE\nversion: 1\n\nhosts:\n {2}build-1: root@build-1\.example\.org\n$/,
  );
  expect(hostOf(text, 'build-1')).toEqual(spec);
  const both = addClientToFleet(text, { name: 'laptop', keyType: 'p256', days: 397 });
  expect(both.slice(both.indexOf('hosts:'))).toBe(
    'hosts:\n  build-1: root@build-1.example.org\n\nclients:\n  laptop:\n',
  );
});

test('a host more is one line more', () => {
  const text = addHostToFleet(FLEET, host('build-3'));
  expect(changed(FLEET, text)).toEqual(['+    build-3:']);
  expect(hostOf(text, 'build-3')).toEqual(host('build-3'));
});

test('only what is no default is written', () => {
  const spec = host('edge', {
    ssh: { destination: 'edge.example.org', user: 'admin', port: 2222 },
    port: 2377,
    keyType: 'p384',
  });
  const text = addHostToFleet(FLEET, spec);
  expect(changed(FLEET, text)).toEqual([
    '+    edge:',
    '+        ssh: admin@edge.example.org:2222',
    '+        port: 2377',
    '+        key-type: p384',
  ]);
  expect(hostOf(text, 'edge')).toEqual(spec);
});

test('what the defaults give is taken back where it can be', () => {
  const text = addHostToFleet(FLEET, host('open', { clients: undefined, confirmWithin: 90 }));
  expect(changed(FLEET, text)).toEqual(['+    open:', '+        clients: all', '+        confirm-within: 90']);
});

test('what the defaults give and no entry can take back is said', () => {
  const spec = completeHost({ name: 'x', ssh: { destination: 'x' }, clients: ['ops'], confirmWithin: 180 });
  expect(() => addHostToFleet(FLEET, spec)).toThrow(expect.toSay('give-something-not-ssh'));
});

test('the same again changes nothing', () => {
  for (const name of ['build-1', 'build-2']) {
    const spec = hostOf(FLEET, name) as HostSpec;
    expect(addHostToFleet(FLEET, spec)).toBe(FLEET);
  }
  expect(addClientToFleet(FLEET, { name: 'ci', keyType: 'p256', days: 30 })).toBe(FLEET);
});

test('a change touches its own line, comment included', () => {
  const spec = hostOf(FLEET, 'build-2') as HostSpec;
  const moved = { ...spec, ssh: { ...spec.ssh, destination: '10.0.0.13' }, days: 90 };
  const text = addHostToFleet(FLEET, moved);
  expect(changed(FLEET, text)).toEqual([
    '-            destination: 10.0.0.12 # no DNS yet',
    '-        days: 397 # the default, said out loud',
    '+            destination: 10.0.0.13 # no DNS yet',
    '+        days: 90 # the default, said out loud',
  ]);
  expect(hostOf(text, 'build-2')).toEqual(moved);
});

test('what a host no longer has goes', () => {
  const spec = hostOf(FLEET, 'build-2') as HostSpec;
  const text = addHostToFleet(FLEET, { ...spec, confirmWithin: 180, ssh: { destination: '10.0.0.12', user: 'root' } });
  expect(text).not.toContain('identities');
  expect(text).not.toContain('90s');
  expect(text).toContain('sudo-password: prompt');
});

test('a short host grows into a map', () => {
  const spec = { ...(hostOf(FLEET, 'build-1') as HostSpec), port: 2377 };
  const text = addHostToFleet(FLEET, spec, { sudoPassword: 'env:SUDO' });
  expect(hostOf(text, 'build-1')).toEqual(spec);
  expect(parseFleet(text, 'f').secrets.sudoPassword['build-1']).toBe('env:SUDO');
  expect(text).toContain('# The old one, to be replaced in spring.');
});

test('a literal password is refused on the way in, too', () => {
  expect(() => addHostToFleet(FLEET, host('x'), { sudoPassword: 'hunter2' })).toThrow(
    expect.toSay('secret-never-written-file'),
  );
});

test('a client is revoked by a line', () => {
  const text = addClientToFleet(FLEET, { name: 'ops', keyType: 'p256', days: 397, revoked: true });
  expect(parseFleet(text, 'f').clients[0]).toMatchObject({ name: 'ops', revoked: true });
  expect(text).toContain('# all of us');
  expect(text).toContain('# People.');
});

test('an edit that would make no fleet file is refused', () => {
  expect(() => addHostToFleet(FLEET, host('x', { clients: ['nobody'] }))).toThrow(expect.toSay('no-client-nobody'));
  expect(() => addHostToFleet('version: 1\nhosts: {a: [}', host('b'))).toThrow(DockerTlsErrors);
});

test('an edit never changes another host through an alias', () => {
  const aliased = 'version: 1\nhosts:\n  a: &a {ssh: root@x, port: 2377}\n  b: {ssh: *a}\n';
  expect(() => parseFleet(aliased, 'f')).toThrow(DockerTlsErrors);
  const shared = 'version: 1\nhosts:\n  a: {ssh: x, sans: &names [n.example.org]}\n  b: {ssh: y, sans: *names}\n';
  const spec = hostOf(shared, 'a') as HostSpec;
  expect(() => addHostToFleet(shared, { ...spec, sans: [parseSan('m.example.org')] })).toThrow(
    expect.objectContaining({ code: 'E_FLEET_EDIT', exit: 2 }),
  );
});

test('flow style, empty sections and other indentation are kept', () => {
  expect(addHostToFleet('{version: 1, hosts: {a: x}}\n', completeHost({ name: 'b', ssh: { destination: 'y' } }))).toBe(
    '{version: 1, hosts: {a: x, b: y}}\n',
  );
  expect(
    addHostToFleet('version: 1\nhosts: {} # none yet\n', completeHost({ name: 'b', ssh: { destination: 'y' } })),
  ).toBe('version: 1\nhosts:\n  # none yet\n  b: y\n');
  const flat = 'version: 1\nhosts:\n  a:\n    ssh: x\n    sans:\n    - n\n';
  expect(addHostToFleet(flat, completeHost({ name: 'b', ssh: { destination: 'b' }, sans: [parseSan('m')] }))).toBe(
    `${flat}  b:\n    sans:\n    - m\n`,
  );
});
