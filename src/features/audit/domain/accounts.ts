/** Accounts of a host: who is root by number, by sudo, by key or password; and who listens on the network. */

import { fingerprintOf } from './sshsig.ts';

/** A rule of sudoers that lets users run commands as root. */
export type SudoRule = {
  readonly file: string;
  /** A user, or `%group`. */
  readonly who: string;
  /** Members of a group, its users by primary group included. */
  readonly members: readonly string[];
  readonly commands: string;
  readonly password: boolean;
};

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
    const [, gid, members = ''] = groups.find(([group]) => group === name) ?? [];
    const byPrimary = users.flatMap(([user = '', , primary]) => (gid !== undefined && primary === gid ? [user] : []));
    return [...new Set([...members.split(','), ...byPrimary])].filter((user) => user !== '');
  };
  return {
    /** Users with uid 0 other than root. */
    rootTwins: users.flatMap(([name = '', uid]) => (uid === '0' && name !== 'root' ? [name] : [])),
    sudo: sudoRules(section('sudoers') ?? '', membersOf),
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

/** Rules that end as root. Aliases of users are resolved; those of hosts count as this host, those of commands keep their name. */
function sudoRules(text: string, membersOf: (group: string) => readonly string[]): readonly SudoRule[] {
  const read = joined(text);
  const aliases = new Map(
    read.flatMap(({ line }) =>
      [...line.matchAll(/(?:^User_Alias\s+|:\s*)([A-Z][A-Z0-9_]*)\s*=\s*([^:]+)/g)].flatMap(
        ([, name = '', list = '']) =>
          line.startsWith('User_Alias') ? [[name, list.split(',').map((one) => one.trim())] as const] : [],
      ),
    ),
  );
  return read.flatMap(({ file, line }) => {
    if (/^(Defaults|(User|Runas|Host|Cmnd|Cmd)_Alias)\b/.test(line)) return [];
    const [, list = '', rest = ''] = /^([^=]+?)\s+[^\s=]+\s*=\s*(.*)$/.exec(line) ?? [];
    const [, runas, commands = ''] = /^(?:\(([^)]*)\))?\s*(.*)$/.exec(rest) ?? [];
    if (commands === '' || !asRoot(runas)) return [];
    const whole = list.split(',').map((one) => one.trim());
    return whole
      .flatMap((one) => aliases.get(one) ?? [one])
      .filter((who) => who !== 'root' && !who.startsWith('!'))
      .map((who) => ({
        ...{ file, who, commands: commands.replace(/\b[A-Z_]+:\s*/g, '') },
        members: who.startsWith('%') ? membersOf(who.slice(1)) : [who],
        password: !/\bNOPASSWD:/.test(commands),
      }));
  });
}

/** Without a list of users, sudo runs commands as root. */
function asRoot(runas: string | undefined): boolean {
  const [users = ''] = (runas ?? 'root').split(':');
  return users.trim() === '' ? runas === undefined : /(^|[\s,])(root|ALL|#0)($|[\s,])/.test(users);
}

/** Lines with their file; a backslash continues a line. */
function joined(text: string): readonly { readonly file: string; readonly line: string }[] {
  const found: { file: string; line: string }[] = [];
  let open = false;
  for (const whole of lines(text)) {
    const [, file = '', line = ''] = /^(\/[^:]*):(.*)$/.exec(whole) ?? [];
    const last = found.at(-1);
    if (open && last !== undefined) last.line += ` ${line.trim()}`;
    else found.push({ file, line: line.trim() });
    const now = found.at(-1) as { line: string };
    open = now.line.endsWith('\\');
    if (open) now.line = now.line.slice(0, -1).trim();
  }
  return found;
}

/** True if the commands of a rule start containers: whoever may run them is root without limits. */
export function startsContainers(commands: string): boolean {
  return /(^|[\s,/])(ALL|docker|docker-compose|podman|nerdctl|ctr|runc)(\s|,|$)/.test(commands);
}
