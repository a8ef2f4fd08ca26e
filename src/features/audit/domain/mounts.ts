/** Exposure by a bind mount: the whole host, its programs and settings, secrets, or control sockets. */

import { posix } from 'node:path';
import type { Mount } from './api.ts';

/** Directories where write access to any file leads to root. Read-only they reveal no secret. */
const PUBLIC = ['/bin', '/boot', '/lib', '/lib32', '/lib64', '/sbin', '/sys', '/usr'].map(segments);

/** Same, but as a whole they also contain secrets or devices. */
const PRIVATE = ['/dev', '/etc', '/proc', '/root', '/var/lib/containerd', '/var/lib/docker', '/var/spool/cron'].map(
  segments,
);

/** Read access is enough (for a socket, a connection), so `:ro` does not help. A star matches any name. */
const SECRET = [
  '/etc/docker/tls',
  '/etc/gshadow',
  '/etc/gshadow-',
  '/etc/shadow',
  '/etc/shadow-',
  '/etc/ssh',
  '/home/*/.aws',
  '/home/*/.docker',
  '/home/*/.gnupg',
  '/home/*/.kube',
  '/home/*/.ssh',
  '/root/.aws',
  '/root/.docker',
  '/root/.gnupg',
  '/root/.kube',
  '/root/.ssh',
  '/run/containerd/containerd.sock',
  '/run/crio/crio.sock',
  '/run/dbus/system_bus_socket',
  '/run/podman/podman.sock',
  '/run/systemd/private',
  '/run/user/*/podman/podman.sock',
].map(segments);

/** Files that a user's shell runs at the next login, and similar ones. */
const HIDDEN_AT_HOME = /^\/home\/[^/]+\/\./;

/** Harmless devices; any other may be a disk. */
const HARMLESS_DEVICE = /^\/dev\/(null|zero|full|random|urandom|tty|log|fuse|net\/tun|(shm|mqueue|dri|snd)(\/.*)?)$/;

function segments(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '');
}

/** Normalises a path: /var/run is /run; `~` and $HOME of a Compose file are a user's home. */
function place(source: string): string {
  const path = source.replace(/^(~|\$HOME|\$\{HOME\})(?=\/|$)/, '/home/~');
  return path.startsWith('/')
    ? posix
        .normalize(path)
        .replace(/(?<=.)\/+$/, '')
        .replace(/^\/var\/run(?=\/|$)/, '/run')
    : path;
}

/** Relation of the mount to a path: the same or above it, below it, or unrelated. */
function relation(mount: readonly string[], wanted: readonly string[]): 'holds' | 'inside' | 'apart' {
  const common = Math.min(mount.length, wanted.length);
  for (let index = 0; index < common; index++) {
    if (wanted[index] !== '*' && wanted[index] !== mount[index]) return 'apart';
  }
  return mount.length <= wanted.length ? 'holds' : 'inside';
}

/** True for a mount that gives a container access to the host itself. */
export function isSensitive(mount: Mount): boolean {
  if (mount.type !== 'bind' && mount.type !== '') return false;
  const source = place(mount.source);
  if (!source.startsWith('/') || HARMLESS_DEVICE.test(source)) return false;
  const parts = segments(source);
  if (SECRET.some((secret) => relation(parts, secret) !== 'apart')) return true;
  if (PRIVATE.some((directory) => relation(parts, directory) === 'holds')) return true;
  const isOfSystem = [...PRIVATE, ...PUBLIC].some((directory) => relation(parts, directory) !== 'apart');
  return mount.writable && (isOfSystem || HIDDEN_AT_HOME.test(source));
}

/** Sockets that docker-tls makes for containers, each with a role that limits its requests. Only root can make another file there. */
const LIMITED = /^\/run\/(?:user\/\d+\/)?docker-tls\/[^/]+\.sock$/;

/** A socket of the daemon with a limited role, wherever the container sees it. `socket`: the daemon's own, which may be in that place. */
export function isLimitedSocket({ source }: Pick<Mount, 'source'>, socket: string): boolean {
  return LIMITED.test(place(source)) && place(source) !== place(socket);
}

/** Docker's control socket, or a directory that contains it. */
export function holdsDockerSocket(mount: Mount, socket: string): boolean {
  if (isLimitedSocket(mount, socket)) return false;
  const source = place(mount.source);
  const control = segments(place(socket || '/run/docker.sock'));
  return (
    /\/docker\.sock$/.test(source) ||
    /\/docker\.sock$/.test(mount.destination) ||
    (source.startsWith('/') &&
      [control, segments('/run/docker.sock')].some((path) => relation(segments(source), path) === 'holds'))
  );
}
