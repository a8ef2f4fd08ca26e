/**
 * KnownHostsCommand of ssh_config(5): the user's program that prints known_hosts lines. ssh runs only one such command; with the openssh
 * transport that one is ours.
 */

import { execFile } from 'node:child_process';
import { type KnownHost, keyType, parseKnownHosts } from '../../../core/adapters/ssh/known-hosts.ts';
import { fingerprintOf } from '../../../core/domain/pki/ssh-wire.ts';
import type { ConfiguredEndpoint } from './ssh-config.ts';

const LIMIT_MS = 10_000;

/**
 * The program's lines about `name` and its offered key or, without a key, about the key types to request first. Empty without such a
 * program, or if it fails, as in ssh.
 */
export function askKnownHostsCommand(
  { knownHostsCommand }: ConfiguredEndpoint,
  name: string,
  blob?: Buffer,
): Promise<KnownHost[]> {
  if (knownHostsCommand === undefined) return Promise.resolve([]);
  const about: Readonly<Record<string, string>> = {
    H: name,
    I: blob === undefined ? 'ORDER' : 'HOSTNAME',
    K: blob?.toString('base64') ?? 'NONE',
    f: blob === undefined ? 'NONE' : fingerprintOf(blob),
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
