/** Accounts of a host: who is root by number, by sudo, by key or password; and who listens on the network. */

import { fingerprintOf } from '../../../core/domain/pki/ssh-wire.ts';
import { parseSudoers } from './sudoers.ts';

export type ListeningService = { readonly protocol: string; readonly address: string; readonly program: string };

export type AccountFacts = ReturnType<typeof parseAccounts>;

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** Parses the sections of src/features/audit/host/audit/accounts.sh; undefined without them. `users`: name, uid and gid of each. */
export function parseAccounts(section: (name: string) => string | undefined) {
  if (section('groups') === undefined) return undefined;
  const users = lines(section('users') ?? '').map((line) => line.split(':'));
  const groups = lines(section('groups') ?? '').map((line) => line.split(':'));
  const membersOf = (name: string): readonly string[] => {
    const [, gid, members = ''] = groups.find(([group, number]) => group === name || `#${number}` === name) ?? [];
    const byPrimary = users.flatMap(([user = '', , primary]) => (gid !== undefined && primary === gid ? [user] : []));
    return [...new Set([...members.split(','), ...byPrimary])].filter((user) => user !== '');
  };
  const userOf = (number: string): string => users.find(([, uid]) => uid === number)?.[0] ?? `#${number}`;
  const { rules, unclear } = parseSudoers(section('sudoers') ?? '', { membersOf, userOf });
  return {
    /** Users with uid 0 other than root. */
    rootTwins: users.flatMap(([name = '', uid]) => (/^0+$/.test(uid ?? '') && name !== 'root' ? [name] : [])),
    /** Whether a group, by its number, has users besides root and this one; a group that the host does not list may have. */
    hasOthers: (gid: number, user: string): boolean =>
      groups.every(([, number]) => number !== `${gid}`) ||
      membersOf(`#${gid}`).some((member) => member !== user && member !== 'root'),
    sudo: rules,
    /** Lines of sudoers that are not understood, or include files that were not read. */
    unclearSudo: unclear,
    /** Keys that log in as root: fingerprint, and comment if there is one. */
    rootKeys: lines(section('root-keys') ?? '').map((line) => {
      const [, blob = '', ...comment] = line.trim().split(/\s+/);
      return `${fingerprintOf(Buffer.from(blob, 'base64'))}${comment.length === 0 ? '' : ` (${comment.join(' ')})`}`;
    }),
    rootPassword: (['empty', 'locked', 'set'] as const).find((state) => state === section('root-password')?.trim()),
    listening: lines(section('listening') ?? '').flatMap((line): readonly ListeningService[] => {
      const [protocol = '', address = '', process = ''] = line.split(' ');
      const program = /\(\("([^"]+)"/.exec(process)?.[1] ?? 'unknown';
      return address === '' ? [] : [{ protocol, address, program }];
    }),
  };
}
