/** Rules of sudoers(5) that end as root, and lines that only sudo itself can judge. */

/** A rule that lets users run commands as root. */
export type SudoRule = {
  readonly file: string;
  /** A user, or `%group`. */
  readonly who: string;
  /** Members of a group, its users by primary group included. */
  readonly members: readonly string[];
  readonly commands: string;
  readonly password: boolean;
};

type Line = { readonly file: string; readonly line: string };

/** `membersOf`: of a group by its name, or by its number as `#1001`. */
export type AccountNames = { membersOf(group: string): readonly string[]; userOf(uid: string): string };

type Aliases = ReadonlyMap<string, readonly string[]>;

const TAG =
  /^(?:(?:NO)?(?:PASSWD|EXEC|SETENV|LOG_INPUT|LOG_OUTPUT|MAIL|FOLLOW|INTERCEPT)\s*:|(?:CWD|CHROOT|ROLE|TYPE|TIMEOUT|NOTBEFORE|NOTAFTER|APPARMOR_PROFILE|PRIVS|LIMITPRIVS)\s*=\s*\S+)\s*/;

/** Before a further list of hosts of a rule, or a further alias: not the colon of a tag. */
const NEXT = /(?<!(?:PASSWD|EXEC|SETENV|PUT|MAIL|FOLLOW|INTERCEPT)\s*)\s*:\s*(?=[^\s:=()]+\s*=)/;

/** Aliases of hosts count as this host. `unclear`: lines of an unknown form, and those that include another file. */
export function parseSudoers(text: string, names: AccountNames) {
  const read = joined(text);
  const aliases = {
    users: aliasesOf(read, /^User_Alias\s+/),
    runas: aliasesOf(read, /^Runas_Alias\s+/),
    commands: aliasesOf(read, /^(?:Cmnd|Cmd)_Alias\s+/),
  };
  const defaults = read.filter(({ line }) => line.startsWith('Defaults'));
  const others = read.filter(({ line }) => !/^(?:Defaults|(?:User|Runas|Host|Cmnd|Cmd)_Alias\b)/.test(line));
  const { open, unclear } = openUsers(defaults, aliases.users, names);
  const rules: SudoRule[] = [];
  for (const one of others) {
    const found = rulesOf(one, aliases, names, open);
    if (found === undefined) unclear.push(one);
    else rules.push(...found);
  }
  return { rules, unclear };
}

/** Users (`ALL`: everyone) of whom sudo asks no password by Defaults. */
function openUsers(defaults: readonly Line[], aliases: Aliases, names: AccountNames) {
  const open = new Set<string>();
  const unclear: Line[] = [];
  for (const one of defaults) {
    const [, scope = '@', list = 'ALL', settings = ''] = /^Defaults(?:([@:>!])(\S+))?\s+(.*)$/.exec(one.line) ?? [];
    const users = scope === '@' ? ['ALL'] : expanded(list.split(','), aliases).flatMap((who) => usersOf(who, names));
    for (const setting of settings.split(',').map((part) => part.replace(/\s/g, ''))) {
      if (!/^(?:!*authenticate$|exempt_group)/.test(setting)) continue;
      if (scope === '>' || scope === '!' || setting.startsWith('exempt_group')) unclear.push(one);
      else for (const user of users) open[setting === '!authenticate' ? 'add' : 'delete'](user);
    }
  }
  return { open, unclear };
}

function usersOf(who: string, { membersOf, userOf }: AccountNames): readonly string[] {
  if (who.startsWith('%')) return membersOf(who.slice(1));
  return [who.startsWith('#') ? userOf(who.slice(1)) : who];
}

/** Undefined for a line that is not understood. */
function rulesOf(
  { file, line }: Line,
  aliases: Readonly<Record<'users' | 'runas' | 'commands', Aliases>>,
  names: AccountNames,
  open: ReadonlySet<string>,
): readonly SudoRule[] | undefined {
  const [, list = '', rest = ''] = /^([^\s"\\@]+)\s+(.*)$/.exec(line) ?? [];
  const parts = rest.split(NEXT).map((part) => /^[^\s=]+\s*=\s*(.*)$/.exec(part)?.[1]);
  const commands = parts.map((part) => part && commandsOf(part, aliases)).map((found) => found || undefined);
  // A name of a netgroup, or of a group that only another program knows.
  const users = expanded(list.split(','), aliases.users).filter((who) => who !== 'root' && !who.startsWith('!'));
  if (list === '' || commands.includes(undefined) || users.some((who) => /^(?:\+|%:)/.test(who))) return undefined;
  const all = commands.flatMap((some = []) => some);
  return users.flatMap((who) => {
    const members = usersOf(who, names);
    const ruleFor = (some: readonly string[], those: typeof all, password: boolean): readonly SudoRule[] =>
      those.length === 0 || (some.length === 0 && members.length > 0)
        ? []
        : [{ file, who, members: some, commands: those.map(({ command }) => command).join(', '), password }];
    const untagged = all.filter(({ password }) => password === undefined);
    const isOpen = (user: string) => open.has('ALL') || open.has(user);
    return [
      ...ruleFor(
        members,
        all.filter(({ password }) => password === false),
        false,
      ),
      ...ruleFor(members.filter(isOpen), members.length === 0 ? [] : untagged, false),
      ...ruleFor(
        members,
        all.filter(({ password }) => password === true),
        true,
      ),
      ...ruleFor(
        members.filter((user) => !isOpen(user)),
        untagged,
        true,
      ),
    ];
  });
}

/** Commands that run as root; a tag and a list of users are for the following commands too. Undefined: not understood. */
function commandsOf(text: string, { runas, commands }: Readonly<Record<'runas' | 'commands', Aliases>>) {
  const found: { readonly command: string; readonly password: boolean | undefined }[] = [];
  let asRoot = true;
  let password: boolean | undefined;
  for (const part of text.split(/(?<!\\),(?![^()]*\))/)) {
    let left = part.trim();
    const [before, users] = /^\(([^)]*)\)\s*/.exec(left) ?? [];
    if (users !== undefined) asRoot = isRoot(users, runas);
    left = left.slice(before?.length ?? 0);
    for (let tag = TAG.exec(left)?.[0]; tag !== undefined; tag = TAG.exec(left)?.[0]) {
      if (/^(?:NO)?PASSWD/.test(tag)) password = tag.startsWith('P');
      left = left.slice(tag.length);
    }
    // A regular expression begins with a circumflex.
    if (left === '' || left.startsWith('^')) return undefined;
    if (asRoot) found.push(...expanded([left], commands).map((command) => ({ command, password })));
  }
  return found;
}

/** Without users (a group alone), sudo runs commands as the one who asks. The last entry that fits decides. */
function isRoot(runas: string, aliases: Aliases): boolean {
  const users = (runas.split(':')[0] ?? '').split(',').map((one) => one.trim());
  return /^(?:root|ALL|#0)$/.test(expanded(users, aliases).findLast((one) => /^!?(?:root|ALL|#0)$/.test(one)) ?? '');
}

/** Lists of one kind, by name: `Cmnd_Alias A = x, y : B = z`. */
function aliasesOf(read: readonly Line[], kind: RegExp): Aliases {
  const definitions = read.flatMap(({ line }) => (kind.test(line) ? line.replace(kind, '').split(NEXT) : []));
  return new Map(
    definitions.map((one) => {
      const [, name = '', list = ''] = /^(\S+?)\s*=\s*(.*)$/.exec(one) ?? [];
      return [name, list.split(/(?<!\\),/).map((entry) => entry.trim())] as const;
    }),
  );
}

/** The entries of a list, each alias expanded once. */
function expanded(list: readonly string[], aliases: Aliases): readonly string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  const left = [...list].reverse();
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    const inner = aliases.get(one);
    if (inner === undefined) found.push(one);
    else if (!seen.has(one)) left.push(...[...inner].reverse());
    seen.add(one);
  }
  return found;
}

/** Lines with their file, without comments; a backslash continues a line. */
function joined(text: string): readonly Line[] {
  const found: { file: string; line: string }[] = [];
  let open = false;
  for (const whole of text.split('\n')) {
    const [, file = '', line = ''] = /^(\/[^:]*):(.*)$/.exec(whole) ?? [];
    const last = found.at(-1);
    if (open && last !== undefined) last.line += ` ${line.trim()}`;
    else found.push({ file, line: line.trim() });
    const now = found.at(-1) as { line: string };
    open = now.line.endsWith('\\');
    if (open) now.line = now.line.slice(0, -1).trim();
  }
  return found
    .map(({ file, line }) => ({ file, line: line.replace(/(?:^|\s)#(?!\d|include).*$/, '').replace(/\s*,\s*/g, ',') }))
    .filter(({ line }) => line !== '');
}

const PROGRAMS = ['docker', 'docker-compose', 'podman', 'nerdctl', 'ctr', 'runc'];
const PLACES = ['/bin/', '/sbin/', '/usr/bin/', '/usr/sbin/', '/usr/local/bin/', '/usr/local/sbin/', '/snap/bin/'];

/** True if the commands of a rule start containers: whoever may run them is root without limits. */
export function startsContainers(commands: string): boolean {
  return commands.split(/(?<!\\),\s*/).some((command) => {
    const program = command.replace(/^sha\d+:\S+\s+/, '').split(/\s/)[0] ?? '';
    if (program.endsWith('/')) return PLACES.some((place) => fits(place, program));
    if (/[*?[]/.test(program)) return PLACES.some((place) => PROGRAMS.some((name) => fits(place + name, program)));
    return (
      !command.startsWith('!') && /(^|[\s/])(ALL|docker|docker-compose|podman|nerdctl|ctr|runc)(\s|$)/.test(command)
    );
  });
}

/** Whether a path fits a pattern of the shell; a set of characters counts as any character. */
function fits(path: string, pattern: string): boolean {
  const parts = pattern.replace(/\*+/g, '*').match(/\[[^\]]*\]|[\s\S]/g) ?? [];
  const one = (part: string) =>
    part === '*' ? '[^/]*' : part === '?' || part.length > 1 ? '[^/]' : part.replace(/\W/, '\\$&');
  return new RegExp(`^${parts.map(one).join('')}$`).test(path);
}
