/** Settings of the daemon's unit that keep it from the TLS port, or from the files that a change puts on the host. */

import { dirname } from 'node:path/posix';
import { effectiveList, splitWords, type UnitSetting } from '../dockerd/unit.ts';
import { unitFilesOf } from './daemon-start.ts';
import { kindOf } from './host-kind.ts';
import { editAt, type Preflight } from './preflight-config.ts';

/** Settings that put something in the place of a path: `[-+]PATH[:…]`, or `SOURCE:PATH[:…]` (systemd.exec(5)). */
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
    'dockerd is in a network namespace of its own, so its socket and the ports of its containers cannot be reached';
  for (const setting of settings('PrivateNetwork').slice(-1))
    if (/^(1|yes|y|true|t|on)$/i.test(setting.value)) found(setting, network);
  for (const setting of settings('NetworkNamespacePath').slice(-1)) found(setting, network);
  const configuration = dirname(places.daemonJson);
  const hidden = `dockerd sees another ${configuration} than the host has, and would not find its certificate there`;
  for (const key of ['RootDirectory', 'RootImage'])
    for (const setting of settings(key).slice(-1)) if (setting.value !== '/') found(setting, hidden);
  for (const [key, at] of Object.entries(MOUNTS))
    for (const setting of settings(key))
      if (splitWords(setting.value).some(({ text }) => covers(targetOf(text, at), configuration)))
        found(setting, hidden);
  for (const setting of settings('Conflicts', 'Unit'))
    if (splitWords(setting.value).some(({ text }) => text === sockets.tls))
      found(setting, `systemd closes the TLS port whenever ${service} starts`);
}

function targetOf(word: string, at: 0 | 1): string {
  const parts = word.replace(/^[-+]+/, '').split(':');
  return parts[at] ?? parts[0] ?? '';
}

/** Whether a mount at a path hides a directory, or something in it. */
function covers(path: string, directory: string): boolean {
  return path === '/' || path === directory || directory.startsWith(`${path}/`) || path.startsWith(`${directory}/`);
}
