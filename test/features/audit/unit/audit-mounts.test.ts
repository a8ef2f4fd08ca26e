import { describe, expect, test } from 'vitest';
import { holdsDockerSocket, isLimitedSocket, isSensitive } from '../../../../src/features/audit/domain/mounts.ts';

function bind(source: string, writable: boolean) {
  return { type: 'bind', source, destination: '/d', writable, propagation: '' };
}

describe('what a mount gives away', () => {
  test.each([
    '/',
    '/etc',
    '/etc/',
    '/var',
    '/var/lib',
    '/var/lib/docker',
    '/home',
    '/home/ben',
    '/root',
    '/dev',
    '/proc',
    '/run',
    '/var/run',
    '/root/.ssh',
    '/root/.ssh/id_ed25519',
    '/home/ben/.ssh',
    '/home/ben/.docker/tls',
    '/etc/shadow',
    '/etc/ssh/ssh_host_ed25519_key',
    '/etc/docker/tls/current/server-key.pem',
    '/run/containerd',
    '/run/containerd/containerd.sock',
    '/var/run/containerd/containerd.sock',
    '/run/podman',
    '/run/podman/podman.sock',
    '/run/user/1000/podman/podman.sock',
    '/run/dbus/system_bus_socket',
    '/var/../etc',
    '~',
    '~/.ssh',
    '$HOME/.docker',
    braced('HOME'),
  ])('%s is the host, also read-only', (source) => {
    expect([isSensitive(bind(source, true)), isSensitive(bind(source, false))]).toEqual([true, true]);
  });

  test.each([
    '/bin',
    '/boot',
    '/lib',
    '/sys',
    '/usr',
    '/usr/',
    '/etc/cron.d',
    '/root/bin',
    '/dev/sda',
    '/dev/mem',
    '/usr/local/bin',
    '/lib/modules',
    '/home/ben/.bashrc',
    '~/.config/systemd',
    '/var/spool/cron/crontabs',
    '/var/lib/docker/volumes/x/_data',
  ])('%s is, when it can be written to', (source) => {
    expect([isSensitive(bind(source, true)), isSensitive(bind(source, false))]).toEqual([true, false]);
  });

  test.each([
    '/srv/data',
    '/home/ben/project',
    '/opt/app',
    '/mnt/disk',
    '/tmp',
    '/etcetera',
    '/dev/null',
    '/dev/shm',
    '/dev/net/tun',
    '/dev/dri/card0',
    '/run/app.sock',
    '/var/lib/postgresql',
    '/var/log',
    './data',
    '~/project',
  ])('%s is not', (source) => {
    expect([isSensitive(bind(source, true)), isSensitive(bind(source, false))]).toEqual([false, false]);
  });

  test('a volume is not, wherever it lies', () => {
    expect(isSensitive({ ...bind('/var/lib/docker/volumes/x/_data', true), type: 'volume' })).toBe(false);
  });
});

describe("docker's socket", () => {
  test.each(['/var/run/docker.sock', '/run/docker.sock', '/run', '/var/run/', '/', '/srv/docker.sock', '/run/user/7'])(
    '%s holds it',
    (source) => {
      expect(holdsDockerSocket(bind(source, false), '/run/user/7/docker.sock')).toBe(true);
    },
  );
  test.each([
    '/run/docker-tls/traefik.sock',
    '/var/run/docker-tls/traefik.sock',
    '/run/user/7/docker-tls/traefik.sock',
  ])('%s has a role, so it is another, also where a container sees it as docker.sock', (source) => {
    const mount = { ...bind(source, true), destination: '/var/run/docker.sock' };
    expect([holdsDockerSocket(mount, '/run/docker.sock'), isLimitedSocket(mount, '/run/docker.sock')]).toEqual([
      false,
      true,
    ]);
  });
  test.each([
    '/run/docker-tls/../docker.sock',
    '/run/docker-tls/x/docker.sock',
    '/run/docker-tls.sock/docker.sock',
    '/srv/run/docker-tls/docker.sock',
    '/run/user/../docker-tls/../docker.sock',
  ])('%s is none of those', (source) => {
    const mount = { ...bind(source, true), destination: '/var/run/docker.sock' };
    expect([holdsDockerSocket(mount, '/run/docker.sock'), isLimitedSocket(mount, '/run/docker.sock')]).toEqual([
      true,
      false,
    ]);
  });
  test('the own socket of the daemon has no role, also in the directory of those', () => {
    const [mount, socket] = [bind('/var/run/docker-tls/x.sock', true), '/run/docker-tls/x.sock'];
    expect([holdsDockerSocket(mount, socket), isLimitedSocket(mount, socket)]).toEqual([true, false]);
  });
  test.each(['/var', '/run/lock', '/srv', './docker'])('%s does not', (source) => {
    expect(holdsDockerSocket(bind(source, true), '/var/run/docker.sock')).toBe(false);
  });
});

/** A variable in shell syntax. */
function braced(text: string): string {
  return ['$', '{', text, '}'].join('');
}
