/** Preflight of unit settings that separate the daemon from the TLS port, or from the files of a change. */

import { dirname } from 'node:path/posix';
import { effectiveList, splitWords, type UnitSetting } from '../dockerd/unit.ts';
import { unitFilesOf } from './daemon-start.ts';
import { viewDaemon } from './daemon-view.ts';
import { kindOf } from './host-kind.ts';
import { editAt, type Preflight } from './preflight-config.ts';

/** Settings that mount over a path: `[-+]PATH[:…]`, or `SOURCE:PATH[:…]` (systemd.exec(5)). */
const MOUNTS = { TemporaryFileSystem: 0, InaccessiblePaths: 0, BindPaths: 1, BindReadOnlyPaths: 1 } as const;

export function checkUnitSettings({ login, facts, add }: Preflight): void {
  const files = unitFilesOf(facts);
  const { service, sockets, places } = kindOf(facts);
  const settings = (key: string, section = 'Service') => effectiveList(files, section, key);
  const found = ({ path, line, key, value }: UnitSetting, effect: string): void =>
    add('E_UNIT_SETTING', `${path}:${line}: ${key}=${value}: ${effect}`, [
      'take it out there:',
      ...editAt(login, path, facts),
      'then restart Docker, and run the same command again',
    ]);
  const network =
    'dockerd runs in a separate network namespace, so nothing can reach its socket and the ports of its containers';
  for (const setting of settings('PrivateNetwork').slice(-1))
    if (/^(1|yes|y|true|t|on)$/i.test(setting.value)) found(setting, network);
  for (const setting of settings('NetworkNamespacePath').slice(-1)) found(setting, network);
  const configuration = dirname(places.daemonJson);
  const hidden = `dockerd sees another ${configuration} than the host has, and would not find its certificate there`;
  for (const key of ['RootDirectory', 'RootImage'])
    for (const setting of settings(key).slice(-1)) if (setting.value !== '/') found(setting, hidden);
  const mounts = Object.entries(MOUNTS).flatMap(([key, at]) =>
    settings(key).flatMap((setting) =>
      splitWords(setting.value).map(({ text }) => ({ setting, ...mountOf(text, at) })),
    ),
  );
  // Such bind mounts usually accompany ProtectSystem=, or an empty directory above the path.
  const same = mounts.filter(({ source, target }) => source === target).map(({ target }) => target);
  const isHidden = (path: string, target: string): boolean =>
    isBelow(path, target) && !same.some((back) => isBelow(path, back) && isBelow(back, target));
  const hiding = mounts.filter(
    ({ target }) =>
      isHidden(places.tls, target) ||
      isHidden(viewDaemon(facts).configName, target) ||
      (isBelow(target, places.tls) && !same.includes(target)),
  );
  for (const setting of new Set(hiding.map(({ setting }) => setting))) found(setting, hidden);
  for (const setting of settings('Conflicts', 'Unit'))
    if (splitWords(setting.value).some(({ text }) => text === sockets.tls))
      found(setting, `systemd closes the TLS port whenever ${service} starts`);
}

/** Source and target of a mount; only a bind mount has a source. */
function mountOf(word: string, at: 0 | 1): { readonly source?: string | undefined; readonly target: string } {
  const [first = '', second] = word
    .replace(/^[-+]+/, '')
    .split(':', at + 1)
    .map((path) => path.replace(/(?<=.)\/+$/, ''));
  return at === 0 ? { target: first } : { source: first, target: second ?? first };
}

/** Whether a path equals a directory, or is in it. */
function isBelow(path: string, directory: string): boolean {
  return path === directory || directory === '/' || path.startsWith(`${directory}/`);
}
