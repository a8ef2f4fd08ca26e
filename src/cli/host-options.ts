/** Options for connecting to a host and configuring it, made from the settings table; option sets shared by commands. */

import { RUN_SETTINGS } from '../core/actions/host-flags.ts';
import { defaultWords, type Setting, type Settings } from '../core/domain/setting.ts';
import { CA_SETTINGS, CLIENT_SETTINGS, HOST_SETTINGS, SSH_SETTINGS } from '../core/domain/settings.ts';
import { FLEET_FILES } from '../core/seams/fleet-files.ts';
import { offered } from '../core/seams/seam.ts';
import type { OptionSpec, OptionSpecs } from './command.ts';

export const FILE = { kind: 'text', value: 'FILE', completes: 'file' } as const;

/** The flags of a table, by option key. */
type FlagsOf<T> = {
  readonly [K in keyof T as T[K] extends { readonly flag: { readonly name: infer N extends string } }
    ? N
    : T[K] extends { readonly flag: object }
      ? K
      : never]: T[K];
};

function flagsOf<T extends Settings>(table: T): FlagsOf<T> {
  const options = Object.entries<Setting>(table).flatMap(([field, { flag, ...setting }]): [string, OptionSpec][] => {
    if (flag === undefined) return [];
    const { name = field, group, short, value } = flag;
    const otherwise = defaultWords(setting);
    const summary = otherwise === undefined ? setting.summary : `${setting.summary} (default: ${otherwise})`;
    const { schema: _, ...kind } = setting;
    const completes = value === 'FILE' ? 'file' : undefined;
    return [[name, { ...kind, summary, group, short, value, completes }]];
  });
  return Object.fromEntries(options) as FlagsOf<T>;
}

export const SSH_OPTIONS = {
  ...flagsOf(SSH_SETTINGS),
  askSudoPassword: { kind: 'flag', group: 'Secrets', summary: 'ask for the sudo password' },
  sudoPasswordFile: { ...FILE, group: 'Secrets', summary: 'read the sudo password from a file' },
} as const satisfies OptionSpecs;

/** A host's settings: one flag for each setting that has one. */
export const HOST_OPTIONS = {
  name: {
    kind: 'text',
    group: 'Host',
    value: 'NAME',
    summary:
      'name of the host for status, env, verify … (default: as dialled; its host name where an IP address is dialled)',
  },
  ...flagsOf(HOST_SETTINGS),
} as const satisfies OptionSpecs;

const SAFETY_OPTIONS = flagsOf(RUN_SETTINGS);

export const TAKE_OVER_OPTION = {
  takeOver: { kind: 'flag', group: 'Safety', summary: 'take over from another store, or a copy' },
} as const satisfies OptionSpecs;

export const REJECT_OPTION = {
  rejectOtherClients: {
    kind: 'flag',
    group: 'Safety',
    summary: 'stop accepting clients of other stores',
  },
} as const satisfies OptionSpecs;

export const CLIENT_OPTIONS = flagsOf(CLIENT_SETTINGS);

export const PASSPHRASE_OPTIONS = {
  caPassphraseFile: { ...FILE, group: 'Secrets', summary: 'CA passphrase (or DOCKER_TLS_CA_PASSPHRASE)' },
  noCaPassphrase: {
    kind: 'flag',
    group: 'Secrets',
    summary: 'store a new CA key without a passphrase',
  },
} as const satisfies OptionSpecs;

/** A new CA, and how its key is protected. */
export const CA_OPTIONS = { ...flagsOf(CA_SETTINGS), ...PASSPHRASE_OPTIONS } as const satisfies OptionSpecs;

export const DUE_OPTIONS = {
  within: {
    kind: 'duration',
    value: 'TIME',
    summary: 'due when it expires within this, for instance 30d (default: after two thirds of its lifetime)',
  },
} as const satisfies OptionSpecs;

export const OUT_OPTIONS = {
  out: { ...FILE, summary: 'the file to write; - is standard output' },
  replace: { kind: 'flag', summary: 'replace a file that is there' },
} as const satisfies OptionSpecs;

export const CLIENT_OPTION = {
  kind: 'text',
  value: 'NAME',
  summary: "whose certificate to use (default: DOCKER_TLS_CLIENT, this computer's own)",
  completes: 'client',
} as const satisfies OptionSpec;

export const SELECTION_OPTIONS = {
  ...offered(FLEET_FILES, {
    inventory: { ...FILE, group: 'Hosts', summary: 'ansible-inventory --list, or a host a line' },
  } as const),
  limit: {
    kind: 'list',
    group: 'Hosts',
    value: 'NAME',
    summary: 'only these hosts or groups; * and ? match',
  },
  shard: {
    kind: 'text',
    group: 'Hosts',
    value: 'I/N',
    summary: 'only part I of N, or auto (docs/ci.md)',
  },
} as const satisfies OptionSpecs;

export const POOL_OPTIONS = {
  canary: { kind: 'number', min: 0, value: 'N', summary: 'this many hosts first; the others only if all went well' },
  maxFailures: { kind: 'number', min: 1, value: 'N', summary: 'begin no further host after this many failures' },
} as const satisfies OptionSpecs;

/** Options of every command that plans or changes hosts. */
export const RUN_OPTIONS = {
  ...SELECTION_OPTIONS,
  ...SSH_OPTIONS,
  ...SAFETY_OPTIONS,
  ...TAKE_OVER_OPTION,
  ...REJECT_OPTION,
  ...PASSPHRASE_OPTIONS,
  client: {
    kind: 'text',
    value: 'NAME',
    group: 'Safety',
    summary: 'verify as this client (default: your own)',
    completes: 'client',
  },
} as const satisfies OptionSpecs;

/** Options of every command that changes hosts in the store. */
export const STORED_OPTIONS = {
  ...SSH_OPTIONS,
  caPassphraseFile: PASSPHRASE_OPTIONS.caPassphraseFile,
  ...SAFETY_OPTIONS,
  ...REJECT_OPTION,
  ...POOL_OPTIONS,
} as const satisfies OptionSpecs;

export const RESTORE_OPTIONS = { ...SSH_OPTIONS, ...SAFETY_OPTIONS } as const satisfies OptionSpecs;
