/**
 * The protocol between this program and the scripts that run on a host in a change: what is sent, and what is answered. The scripts
 * are held against it by test/core/unit/host-protocol.test.ts.
 */

/** Variables of the file `settings`, which is stored on the host for as long as a change is under way. */
export const SETTINGS = [
  'TXN',
  'UNITS',
  'SERVICE',
  'TLS_SOCKET',
  'LOCAL_SOCKET',
  'RESTART_COMMAND',
  'LOCK',
  'RUN',
  'RECOVERY',
  'RECOVERY_LINK',
  'RECOVERY_LIST',
  'TLS_DIRECTORY',
  'DAEMON',
  'WAS_ACTIVE',
  'SOCKET',
  'SOCKET_WAS_ACTIVE',
  'LIVE_RESTORE',
  'LIVE_RESTORE_STAYS',
  'CONTAINERS',
  'DAEMON_JSON',
  'NEEDS',
  'SSHD',
  'SSHD_DROP_IN',
  'AUDIT',
  'PORTS',
  'GENERATION',
  'KEEP',
] as const;
export type HostScriptSettings = Readonly<Record<(typeof SETTINGS)[number], string>>;

/**
 * Variables that are before the script of a change. With them come the contents that are no secret, `DATA_` and the number of the entry (or the
 * form of daemon.json): the shell writes those without starting a program for each. Secrets come on standard input, in the manifest's order.
 */
export const CHANGE_VARIABLES = [
  'TXN',
  'WHO',
  'CONFIRM',
  'STATE',
  'LOCK',
  'RUN',
  'RECOVERY',
  'RECOVERY_LINK',
  'RECOVERY_LIST',
  'UNITS',
  'SERVICE',
  'TLS_SOCKET',
  'LOCAL_SOCKET',
  'RESTART_COMMAND',
  'FRAGMENT',
  'KNOWN_UNITS',
  'REMAP',
  'VALIDATE',
  'ROLLBACK',
  'SETTINGS',
  'MANIFEST',
  'MANAGED',
  'RECORD',
  'SEEN',
  'ABSENT',
  'JSON_FORMS',
] as const;
export type ChangeVariables = Readonly<Record<(typeof CHANGE_VARIABLES)[number], string>>;

/** Kinds of entries of the manifest. `blob`: a file in a directory of credentials, which is new. */
export const ENTRY_KINDS = [
  'blob',
  'file',
  'link',
  'absent',
  'attributes',
  'member',
  'sysctl',
  'loopback',
  'linger',
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/**
 * Where an entry's content comes from: `data:SHA256`, `stdin:SIZE:SHA256`, `snap:PATH` (a snapshot on the host), `copy:PATH` (another file there), `to:GOAL`
 * (of a link), `same` (it stays), `-` (it has none).
 */
export type EntrySource =
  | `data:${string}`
  | `stdin:${number}:${string}`
  | `snap:${string}`
  | `copy:${string}`
  | `to:${string}`
  | 'same'
  | '-';

/** `@ STEP` is printed when one begins. */
export const STEPS = [
  'lock',
  'arm',
  'stage',
  'validate',
  'keep',
  'protect',
  'switch',
  'check-sshd',
  'services',
  'restart',
  'reload',
  'stop',
] as const;

/** Steps that only a result names: where `restart` or `services` ended. */
export const LATE_STEPS = ['check', 'containers', 'reload-sshd', 'restart-sshd'] as const;

/** Printed once the daemon of before is gone while systemd holds the port: a client that connects from then on is answered by the new one. */
export const OPEN = '@open';

/** Every last line, `@result KIND FIELD…`: its kinds, with the names of their fields. */
export const RESULTS = {
  /** The change is in place and waits for its confirmation. */
  switched: [],
  /** Another change holds the host: the text of its lock, and the host's time in seconds. */
  locked: ['lock', 'now'],
  /** The host is this run's, and not changed yet. */
  held: [],
  /** An earlier change was rolled back first; or could not be. */
  again: [],
  blocked: [],
  /** Nothing was changed: this path was changed by another program since the plan was made; or a step failed. */
  changed: ['path'],
  failed: ['step', 'why'],
  /** Rolled back. `journal`: the daemon's last lines; `remark`: what is not as it was although the files are. */
  'rolled-back': ['step', 'why', 'journal', 'remark'],
  /** The rollback failed as well. */
  stuck: ['step', 'why', 'journal'],
  /** Of an ending. */
  committed: [],
  uncommitted: ['why'],
  undone: ['remark'],
  /** The host knows no such change, or no longer. */
  nothing: [],
} as const;
/** What `why` of `uncommitted` says of containers that the change has stopped. */
export const CONTAINERS_STOPPED = 'containers stopped that ran before';

/** What each kind of result has: the names of its fields. */
export type ResultFields = Readonly<Record<string, readonly string[]>>;
export type ResultOf<F extends ResultFields> = {
  [Kind in keyof F]: { readonly kind: Kind } & Readonly<Record<F[Kind][number], string>>;
}[keyof F];
export type HostResult = ResultOf<typeof RESULTS>;

/** The last result of an output; undefined where there is none of a known kind with all its fields. Texts are as the host gave them. */
export function parseResult(stdout: string): HostResult | undefined {
  return parseResultOf(RESULTS, stdout);
}

export function parseResultOf<const F extends ResultFields>(kinds: F, stdout: string): ResultOf<F> | undefined {
  const line = stdout.split('\n').findLast((text) => text.startsWith('@result '));
  const [kind = '', ...words] = (line ?? '').split(' ').slice(1);
  const names = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (names?.length !== words.length) return undefined;
  return { kind, ...Object.fromEntries(names.map((name, index) => [name, decode(words[index])])) } as ResultOf<F>;
}

/** What the operator should know beside the result: `@warning BASE64`. */
export function parseWarnings(stdout: string): string[] {
  return Array.from(stdout.matchAll(/^@warning (\S+)$/gm), (found) => decode(found[1]));
}

function decode(text: string | undefined): string {
  return text === undefined || text === '-' ? '' : Buffer.from(text, 'base64').toString('utf8');
}
