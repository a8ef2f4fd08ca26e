/**
 * Views of a lab host where only the user rooty runs Docker: what is said of root's daemon elsewhere is said of rooty's there. Scripts
 * and what they print have the paths of root's.
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

/** Who logs in to the host of a suite. */
export const ownerOf = (host: LabHost) => (isOwn(host) ? 'rooty' : 'root');

/** What holds the daemon's settings and units, and can be a disk of its own. */
export const settingsOf = (host: LabHost) => (isOwn(host) ? `${HOME}/.config` : '/etc');

/** A script, for this host. */
export function forHost(host: LabHost, script: string): string {
  return isOwn(host) ? PATHS.reduce((text, [root, own]) => text.replaceAll(root, own), script) : script;
}

/** What it printed, as if it were root's. */
export function asRoots(host: LabHost, text: string): string {
  if (!isOwn(host)) return text;
  return PATHS.reduce((now, [root, own]) => now.replaceAll(own, root), text).replaceAll(`${UID}:${UID}`, '0:0');
}

/** On such a host, docker and systemctl mean rooty's from here on, for the commands of a test. The program never sees these. */
export async function meanOwn(host: LabHost): Promise<void> {
  if (!isOwn(host)) return;
  const put = (name: string, command: string) =>
    `printf '#!/bin/sh\\nexec %s "$@"\\n' '${command}' >/usr/local/sbin/${name} && chmod 0755 /usr/local/sbin/${name}`;
  await host.must(
    [
      // Not by -H: the lab's own questions name the socket so, and there can be only one.
      put('docker', `env DOCKER_HOST=unix:///run/user/${UID}/docker.sock /usr/bin/docker`),
      put('systemctl', `runuser -u rooty -- env XDG_RUNTIME_DIR=/run/user/${UID} /usr/bin/systemctl --user`),
    ].join('\n'),
  );
}

/** Where the user's scripts leave files for a test: /run, which a boot makes anew. */
export async function openRun(host: LabHost): Promise<void> {
  if (isOwn(host)) await host.must('chmod 0777 /run');
}

/** What else there is to look at: roots of files, and what is left out below them. */
export function ownRoots(host: LabHost): { readonly roots: string; readonly restless: readonly string[] } {
  return isOwn(host) ? { roots: HOME, restless: [`${HOME}/.local/share/docker`] } : { roots: '', restless: [] };
}
