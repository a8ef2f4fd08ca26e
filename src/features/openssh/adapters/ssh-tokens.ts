/** Tokens of ssh_config(5) in file names. */

import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { homeDirectory, userName } from '../../../core/user.ts';

type About = {
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  readonly alias: string;
  readonly keyAlias: string;
  readonly jump: string;
};

/** Expands tokens, variables and the tilde of ssh_config(5): ssh -G leaves them in the names of keys and certificates. */
export function expandPath(path: string, { hostName, port, user, alias, keyAlias, jump }: About): string {
  const here = hostname();
  const tokens: Readonly<Record<string, () => string>> = {
    '%': () => '%',
    C: () => createHash('sha1').update(`${here}${hostName}${port}${user}${jump}`).digest('hex'),
    L: () => here.replace(/\..*/, ''),
    d: homeDirectory,
    h: () => hostName,
    i: () => String(process.getuid?.() ?? ''),
    j: () => jump,
    k: () => keyAlias,
    l: () => here,
    n: () => alias,
    p: () => String(port),
    r: () => user,
    u: userName,
  };
  const expanded = path
    .replace(/%([%CLdhijklnpru])/g, (token, letter: string) => tokens[letter]?.() ?? token)
    .replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (variable, name: string) => process.env[name] ?? variable);
  return expanded.startsWith('~/') ? join(homeDirectory(), expanded.slice(2)) : expanded;
}
