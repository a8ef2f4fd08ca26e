/** The question what a bind mount of the host gives away: the host as a whole, its programs and settings, secrets, or sockets that control it. */

import { posix } from 'node:path';
import type { Mount } from './api.ts';

/** Directories whose contents make root: writing to any of it is enough. Read-only they reveal no secret. */
const PUBLIC = ['/bin', '/boot', '/lib', '/lib32', '/lib64', '/sbin', '/sys', '/usr'].map(segments);

/** The same, and as a whole they hold secrets or devices as well. */
const PRIVATE = ['/dev', '/etc', '/proc', '/root', '/var/lib/containerd', '/var/lib/docker', '/var/spool/cron'].map(
  segments,
);

/** Reading is enough, or, of a socket, talking to it: `:ro` changes nothing. A star is any name. */
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

/** What a user's shell runs at the next login, and more of that kind. */
const HIDDEN_AT_HOME = /^\/home\/[^/]+\/\./;

/** Devices that give nothing away; all others may be a disk. */
const HARMLESS_DEVICE = /^\/dev\/(null|zero|full|random|urandom|tty|log|fuse|net\/tun|(shm|mqueue|dri|snd)(\/.*)?)$/;

function segments(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '');
}

/** The path as the host has it: /var/run is /run; `~` and $HOME of a Compose file are a user's home. */
function place(source: string): string {
  const path = source.replace(/^(~|\$HOME|\$\{HOME\})(?=\/|$)/, '/home/~');
  return path.startsWith('/')
    ? posix
        .normalize(path)
        .replace(/(?<=.)\/+$/, '')
        .replace(/^\/var\/run(?=\/|$)/, '/run')
    : path;
}

/** Whether the mount holds the place (is it, or is above it), is in it, or has nothing to do with it. */
function relation(mount: readonly string[], wanted: readonly string[]): 'holds' | 'inside' | 'apart' {
  const common = Math.min(mount.length, wanted.length);
  for (let index = 0; index < common; index++) {
    if (wanted[index] !== '*' && wanted[index] !== mount[index]) return 'apart';
  }
  return mount.length <= wanted.length ? 'holds' : 'inside';
}

/** A mount through which a container gets at the host itself. */
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

/** Docker's own control socket, or a directory that holds it. */
export function holdsDockerSocket(mount: Mount, socket: string): boolean {
  const source = place(mount.source);
  const control = segments(place(socket || '/run/docker.sock'));
  return (
    /\/docker\.sock$/.test(source) ||
    /\/docker\.sock$/.test(mount.destination) ||
    (source.startsWith('/') &&
      [control, segments('/run/docker.sock')].some((path) => relation(segments(source), path) === 'holds'))
  );
}
