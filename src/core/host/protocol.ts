/**
 * Protocol between docker-tls and its scripts on a host: input variables and output lines. test/core/unit/host-protocol.test.ts checks the
 * scripts against it.
 */

/** Variables of the file `settings`; it stays on the host while a change is pending. */
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
  'PARTS',
  'PORTS',
  'GENERATION',
  'KEEP',
] as const;
export type HostScriptSettings = Readonly<Record<(typeof SETTINGS)[number], string>>;

/**
 * Variables set before the script of a change. Non-secret contents come with them, as `DATA_` and the entry's number (or the form of
 * daemon.json), so the shell writes them without starting a program for each. Secrets come on standard input, in manifest order.
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

/**
 * Source of an entry's content: `data:SHA256`, `stdin:SIZE:SHA256`, `snap:PATH` (a snapshot on the host), `copy:PATH` (another file on the
 * host), `to:TARGET` (a link), `same` (unchanged), `-` (no content).
 */
export type EntrySource =
  | `data:${string}`
  | `stdin:${number}:${string}`
  | `snap:${string}`
  | `copy:${string}`
  | `to:${string}`
  | 'same'
  | '-';

/** The first step: before it, nothing on a host has changed. */
export const FIRST_STEP = 'lock';

/** Steps: the script prints `@ STEP` when one begins. */
export const STEPS = [
  FIRST_STEP,
  'arm',
  'stage',
  'validate',
  'keep',
  'protect',
  'switch',
  'services',
  'restart',
  'reload',
  'stop',
] as const;

/** Steps that only a result names: the point where `restart` or `services` failed. */
export const LATE_STEPS = ['check', 'containers'] as const;

/** Printed once the old daemon has ended and systemd holds the port: the new daemon answers every later client. */
export const OPEN = '@open';

/** Kinds of the last line, `@result KIND FIELD…`, with the names of their fields. */
export const RESULTS = {
  /** The change is active and waits for its confirmation. */
  switched: [],
  /** Another change has locked the host: the text of its lock, and the host's time in seconds. */
  locked: ['lock', 'now'],
  /** This run has locked the host, without a change so far. */
  held: [],
  /** An earlier change was rolled back first (`again`), or could not be (`blocked`). */
  again: [],
  blocked: [],
  /** Nothing was changed: another program changed this path after the plan, or a step failed. */
  changed: ['path'],
  failed: ['step', 'why'],
  /** Rolled back. `journal`: the daemon's last lines; `remark`: a difference that remains although the files are restored. */
  'rolled-back': ['step', 'why', 'journal', 'remark'],
  /** The rollback failed as well. */
  stuck: ['step', 'why', 'journal'],
  /** Results of a confirmation. */
  committed: [],
  uncommitted: ['why'],
  undone: ['remark'],
  /** The host has no such change. */
  nothing: [],
} as const;
/** `why` of `uncommitted` if the change stopped containers. */
export const CONTAINERS_STOPPED = 'containers stopped that ran before';

/** Field names of each kind of result. */
type ResultFields = Readonly<Record<string, readonly string[]>>;
type ResultOf<F extends ResultFields> = {
  [Kind in keyof F]: { readonly kind: Kind } & Readonly<Record<F[Kind][number], string>>;
}[keyof F];
export type HostScriptResult = ResultOf<typeof RESULTS>;

/** The last complete result of a known kind in the output, or undefined. Texts are as the host sent them, uncleaned. */
export function parseResult(stdout: string): HostScriptResult | undefined {
  return parseResultOf(RESULTS, stdout);
}

export function parseResultOf<const F extends ResultFields>(kinds: F, stdout: string): ResultOf<F> | undefined {
  const line = stdout.split('\n').findLast((text) => text.startsWith('@result '));
  const [kind = '', ...words] = (line ?? '').split(' ').slice(1);
  const names = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (names?.length !== words.length) return undefined;
  return { kind, ...Object.fromEntries(names.map((name, index) => [name, decode(words[index])])) } as ResultOf<F>;
}

/** Warnings for the operator (`@warning BASE64`). */
export function parseWarnings(stdout: string): string[] {
  return Array.from(stdout.matchAll(/^@warning (\S+)$/gm), (found) => decode(found[1]));
}

function decode(text: string | undefined): string {
  return text === undefined || text === '-' ? '' : Buffer.from(text, 'base64').toString('utf8');
}
