/**
 * Views of a lab host where only the user rooty runs Docker: they map commands about root's daemon to rooty's. Scripts and their output
 * have root's paths.
 */

import type { LabHost } from './lab.ts';

const UID = 1004;
const HOME = '/home/rooty';

/** Root's path, and rooty's. */
const PATHS: readonly (readonly [string, string])[] = [
  ['/etc/systemd/system', `${HOME}/.config/systemd/user`],
  ['/etc/docker', `${HOME}/.config/docker`],
  ['/var/lib/docker-tls', `${HOME}/.local/share/docker-tls`],
  ['/run/docker', `/run/user/${UID}/docker`],
];

export const isOwn = ({ suite }: Pick<LabHost, 'suite'>): boolean => suite.startsWith('rootless');

/** The login user of a suite's host. */
export const ownerOf = (host: LabHost) => (isOwn(host) ? 'rooty' : 'root');

/** The directory of the daemon's settings and units, which can be a separate disk. */
export const settingsOf = (host: LabHost) => (isOwn(host) ? `${HOME}/.config` : '/etc');

/** Adapts a script to this host. */
export function forHost(host: LabHost, script: string): string {
  return isOwn(host) ? PATHS.reduce((text, [root, own]) => text.replaceAll(root, own), script) : script;
}

/** Maps output to root's paths. */
export function asRoots(host: LabHost, text: string): string {
  if (!isOwn(host)) return text;
  return PATHS.reduce((now, [root, own]) => now.replaceAll(own, root), text).replaceAll(`${UID}:${UID}`, '0:0');
}

/** Makes docker and systemctl mean rooty's on such a host, for the commands of a test. The program never sees these. */
export async function meanOwn(host: LabHost): Promise<void> {
  if (!isOwn(host)) return;
  const put = (name: string, command: string) =>
    `printf '#!/bin/sh\\nexec %s "$@"\\n' '${command}' >/usr/local/sbin/${name} && chmod 0755 /usr/local/sbin/${name}`;
  await host.must(
    [
      // Without -H: the lab's own requests pass it for the socket, and only one is allowed.
      put('docker', `env DOCKER_HOST=unix:///run/user/${UID}/docker.sock /usr/bin/docker`),
      put('systemctl', `runuser -u rooty -- env XDG_RUNTIME_DIR=/run/user/${UID} /usr/bin/systemctl --user`),
    ].join('\n'),
  );
}

/** The directory where the user's scripts leave files for a test: /run, which a boot recreates. */
export async function openRun(host: LabHost): Promise<void> {
  if (isOwn(host)) await host.must('chmod 0777 /run');
}

/** Additional roots of files, and exclusions below them. */
export function ownRoots(host: LabHost): { readonly roots: string; readonly restless: readonly string[] } {
  return isOwn(host) ? { roots: HOME, restless: [`${HOME}/.local/share/docker`] } : { roots: '', restless: [] };
}
