/** Ansible's ssh arguments (`ansible_ssh_common_args` and similar), converted to our settings: ssh(1) options and `-o` settings. */

import { shellWords } from '../../../core/domain/quote.ts';
import type { SshEntry } from './schema.ts';

export type SshArguments = {
  readonly ssh: SshEntry;
  /** Unsupported arguments, each with an alternative. */
  readonly problems: readonly { readonly message: string; readonly hint: string }[];
};

/** ssh(1) options that are settings: the prefix of their value. */
const SETTINGS: Readonly<Record<string, string>> = {
  o: '',
  J: 'ProxyJump=',
  i: 'IdentityFile=',
  l: 'User=',
  p: 'Port=',
};
/** Other options with a value: irrelevant, except `-F`. */
const VALUED = new Set([...'BbcDEeFIkLmOPQRSWw']);

/**
 * Parses a command line of ssh options. Converts destination and user. Ignores pure tuning (ControlMaster, compression, …), which has no
 * counterpart; a proxy command that is not a jump is a problem.
 */
export function parseSshArguments(text: string): SshArguments {
  const words = shellWords(text);
  const ssh: { -readonly [K in keyof SshEntry]: SshEntry[K] } = {};
  const problems: { message: string; hint: string }[] = [];
  if (words === undefined)
    return { ssh, problems: [{ message: 'a quotation mark is not closed', hint: `-o 'User=admin'` }] };
  for (let index = 0; index < words.length; index += 1) {
    const match = /^-([A-Za-z0-9])(.*)$/s.exec(words[index] as string);
    if (match === null) continue;
    const letter = match[1] as string;
    const named = SETTINGS[letter];
    if (named === undefined && !VALUED.has(letter)) continue;
    const value = match[2] === '' ? (words[++index] ?? '') : (match[2] as string);
    if (letter === 'F') ssh.config = value;
    else if (named !== undefined) setting(named + value);
  }

  function setting(text: string): void {
    const [, name = '', value = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/s.exec(text) ?? [];
    switch (name.toLowerCase()) {
      case 'proxyjump':
        if (value.toLowerCase() !== 'none') ssh.jump = value.split(',');
        break;
      case 'proxycommand': {
        if (value.toLowerCase() === 'none') break;
        const jump = jumpOf(value);
        if (jump !== undefined) ssh.jump = [jump];
        else {
          problems.push({
            message: 'a ProxyCommand cannot be taken over from the inventory',
            hint: 'write it into ~/.ssh/config, and set docker_tls_ssh_transport: openssh',
          });
        }
        break;
      }
      case 'identityfile':
        ssh.identities = [...(ssh.identities ?? []), value];
        break;
      case 'user':
        ssh.user = value;
        break;
      case 'port':
        if (/^\d{1,5}$/.test(value)) ssh.port = Number(value);
        else problems.push({ message: `${value} is not a port`, hint: '-o Port=2222' });
        break;
      case 'stricthostkeychecking':
        // `no` and `off` are ignored: docker-tls always asks about an unknown key.
        if (value === 'accept-new') ssh['host-key'] = 'accept-new';
        break;
      default:
    }
  }

  return { ssh, problems };
}

/** Jump host of `ssh -W %h:%p [user@]name`, the form before ProxyJump. */
function jumpOf(command: string): string | undefined {
  const words = shellWords(command) ?? [];
  if (words[0]?.split('/').at(-1) !== 'ssh' || !words.some((word) => /^(?:-W)?\[?%h\]?:%p$/.test(word)))
    return undefined;
  let port = '';
  let user = '';
  let name: string | undefined;
  for (let index = 1; index < words.length; index += 1) {
    const word = words[index] as string;
    if (word === '-W') index += 1;
    else if (/^-[pl]$/.test(word)) {
      const value = words[++index] ?? '';
      if (word === '-p') port = `:${value}`;
      else user = `${value}@`;
    } else if (/^-(?:W.+|[qTxakC]+)$/.test(word)) continue;
    // Other options (a key, a configuration) would be lost.
    else if (word.startsWith('-') || name !== undefined) return undefined;
    else name = word;
  }
  return name === undefined ? undefined : `${name.includes('@') ? '' : user}${name}${port}`;
}
