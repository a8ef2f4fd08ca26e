/** Owns the options that say how a host is reached and what it gets, made from the table of settings, and the reading of their values. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { schemaProblems } from '../domain/fleet/fleet-problems.ts';
import { checkName } from '../domain/names.ts';
import { shellQuote } from '../domain/quote.ts';
import {
  CA_DEFAULTS,
  CA_SETTINGS,
  type CaSpec,
  CLIENT_DEFAULTS,
  CLIENT_SETTINGS,
  type ClientSpec,
  defaultWords,
  HOST_SETTINGS,
  type HostSettings,
  type Setting,
  type Settings,
  SSH_SETTINGS,
  type SshSpec,
  type ValuesOf,
} from '../domain/settings.ts';
import { isAcceptWord } from '../domain/values.ts';
import type { HostFlags } from '../engine/specs.ts';
import { DockerTlsError } from '../errors/errors.ts';
import { type OptionSpec, type OptionSpecs, optionFlag } from './command.ts';

/** The flags of a table, by the key of the option. */
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

/** How a host is reached. */
export const SSH_OPTIONS = {
  ...flagsOf(SSH_SETTINGS),
  askSudoPassword: { kind: 'flag', group: 'Secrets', summary: 'ask for the sudo password' },
  sudoPasswordFile: {
    kind: 'text',
    group: 'Secrets',
    value: 'FILE',
    summary: 'read the sudo password from a file',
    completes: 'file',
  },
} as const satisfies OptionSpecs;

/** What a host is to be; one flag for each of its settings that has one. */
export const HOST_OPTIONS = {
  name: {
    kind: 'text',
    group: 'Host',
    value: 'NAME',
    summary: 'name of the host for status, env, verify … (default: as dialled)',
  },
  ...flagsOf(HOST_SETTINGS),
} as const satisfies OptionSpecs;

/** The settings that every command which changes hosts takes for its run. */
const { containers, confirmWithin } = HOST_SETTINGS;
const RUN_SETTINGS = { containers, confirmWithin };
export const SAFETY_OPTIONS = flagsOf(RUN_SETTINGS);

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

/** Key and lifetime of a client. */
export const CLIENT_OPTIONS = flagsOf(CLIENT_SETTINGS);

/** How the key of the CA is protected. */
export const PASSPHRASE_OPTIONS = {
  caPassphraseFile: {
    kind: 'text',
    group: 'Secrets',
    value: 'FILE',
    summary: 'CA passphrase (or DOCKER_TLS_CA_PASSPHRASE)',
    completes: 'file',
  },
  noCaPassphrase: {
    kind: 'flag',
    group: 'Secrets',
    summary: 'store a new CA key without a passphrase',
  },
} as const satisfies OptionSpecs;

/** A new CA, and how its key is protected. */
export const CA_OPTIONS = { ...flagsOf(CA_SETTINGS), ...PASSPHRASE_OPTIONS } as const satisfies OptionSpecs;

/** When a renewal is due. */
export const DUE_OPTIONS = {
  within: {
    kind: 'duration',
    value: 'TIME',
    summary: 'due when it expires within this, for instance 30d; default: after two thirds of its lifetime',
  },
} as const satisfies OptionSpecs;

type Said = Readonly<Record<string, unknown>>;

/** The values that a command line gives to the flags of a table. Fails with E_USAGE, E_NAME (exit 2). */
function saidOf<T extends Settings>(table: T, options: Said): Partial<ValuesOf<T>> {
  return Object.fromEntries(
    Object.entries<Setting>(table).flatMap(([field, setting]) => {
      const name = setting.flag?.name ?? field;
      const given = options[name];
      const nothing = given === undefined || given === false || (Array.isArray(given) && given.length === 0);
      if (setting.flag === undefined || nothing) return [];
      return [[field, readSetting(setting, given, `${optionFlag(name)}: `)]];
    }),
  ) as Partial<ValuesOf<T>>;
}

/** A value as it was typed, read by the rule of its setting. `where` comes before the words of an error: E_USAGE, E_NAME (exit 2). */
export function readSetting({ schema }: Setting, given: unknown, where: string): unknown {
  const read = z.safeDecode(schema, given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const cause = issue?.code === 'custom' ? (issue.params?.error as DockerTlsError | undefined) : undefined;
  const [problem] = schemaProblems(read.error.issues, { value: given, knownKeys: () => [] });
  throw new DockerTlsError({
    code: cause?.code ?? 'E_USAGE',
    message: `${where}${problem?.message}`,
    hints: problem?.hints ?? [],
  });
}

/** What the options of any command that reaches hosts say of them: the way to log in, and what holds for this run. */
export function runFlags(options: Said, cwd: string): HostFlags {
  const { identities, configFile, ...ssh }: Partial<SshSpec> = saidOf(SSH_SETTINGS, options);
  return {
    ssh: {
      ...ssh,
      identities: identities?.map((file) => resolve(cwd, file)),
      configFile: configFile === undefined ? undefined : resolve(cwd, configFile),
    },
    ...saidOf(RUN_SETTINGS, options),
  };
}

/** What the options of `setup` say of a host. Fails with E_USAGE, E_NAME (exit 2). */
export function hostFlags(
  options: Said & { readonly name?: string; readonly acceptCa?: string },
  cwd: string,
): HostFlags {
  const { acceptCa } = options;
  const said: Partial<HostSettings> = saidOf(HOST_SETTINGS, {
    ...options,
    acceptCa: acceptCa === undefined ? undefined : certificatesOf(acceptCa, cwd),
  });
  return {
    ...runFlags(options, cwd),
    ...said,
    name: options.name === undefined ? undefined : checkName('host', options.name),
  };
}

/** What `--accept-ca` says: a word, or what is in the file. Fails with E_FILE (exit 2). */
function certificatesOf(word: string, cwd: string): string {
  if (isAcceptWord(word)) return word;
  const path = resolve(cwd, word);
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const hints = [`ls -l ${shellQuote(path)}`];
    throw new DockerTlsError({ code: 'E_FILE', message: `--accept-ca: ${path} cannot be read`, hints, cause });
  }
}

/** A new CA, as the options want it; where they say nothing, as `base` has it. */
export function caSpec(options: Said & { readonly keyType?: CaSpec['keyType'] }, base: CaSpec = CA_DEFAULTS): CaSpec {
  return { ...base, ...saidOf(CA_SETTINGS, options), keyType: options.keyType ?? base.keyType };
}

/** The client that this computer uses. */
export function clientSpec(name: string, said: Partial<Pick<ClientSpec, 'keyType' | 'days'>>): ClientSpec {
  return { name: checkName('client', name), ...CLIENT_DEFAULTS, ...saidOf(CLIENT_SETTINGS, said) };
}
