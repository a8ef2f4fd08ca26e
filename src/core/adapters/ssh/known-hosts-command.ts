/**
 * KnownHostsCommand of ssh_config(5): a program of the user's that prints lines of known_hosts. ssh runs one such command only, which
 * for the openssh transport is ours.
 */

import { execFile } from 'node:child_process';
import { fingerprint, type KnownHost, keyType, parseKnownHosts } from './known-hosts.ts';
import type { Endpoint } from './ssh-config.ts';

const LIMIT_MS = 10_000;

/**
 * What the program says about `name` and the key that it offers, or, without a key, which types are to be asked for first; nothing where
 * there is none, or where it fails, as with ssh.
 */
export function askKnownHostsCommand(
  { knownHostsCommand }: Endpoint,
  name: string,
  blob?: Buffer,
): Promise<KnownHost[]> {
  if (knownHostsCommand === undefined) return Promise.resolve([]);
  const about: Readonly<Record<string, string>> = {
    H: name,
    I: blob === undefined ? 'ORDER' : 'HOSTNAME',
    K: blob?.toString('base64') ?? 'NONE',
    f: blob === undefined ? 'NONE' : fingerprint(blob),
    t: blob === undefined ? 'NONE' : keyType(blob),
  };
  const [program = '', ...args] = knownHostsCommand.map((word) =>
    word.replace(/%([HIKft])/g, (token, letter: string) => about[letter] ?? token),
  );
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: LIMIT_MS, maxBuffer: 16 * 1024 * 1024 }, (error, stdout) =>
      resolve(error === null ? parseKnownHosts(stdout, `KnownHostsCommand ${program}`) : []),
    );
    child.stdin?.end();
  });
}
