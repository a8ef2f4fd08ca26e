/** Owns the options that say how a host is reached and what it gets, made from the table of settings, and the reading of their values. */

import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { checkName } from '../adapters/store/records.ts';
import { schemaProblems } from '../domain/fleet/fleet-problems.ts';
import { shellQuote } from '../domain/quote.ts';
import { Secret } from '../domain/secret.ts';
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
import type { PassphraseSource } from '../engine/key-protection.ts';
import type { HostFlags } from '../engine/specs.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { Runtime } from '../runtime.ts';
import { type OptionSpec, type OptionSpecs, type OptionValues, optionFlag } from './command.ts';
import type { Prompts } from './prompts.ts';

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
  askSudoPassword: { kind: 'flag', group: 'Connection', summary: 'ask for the password that sudo wants' },
  sudoPasswordFile: {
    kind: 'text',
    group: 'Connection',
    value: 'FILE',
    summary: 'read the password for sudo from a file',
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
  takeOver: {
    kind: 'flag',
    group: 'Safety',
    summary: 'take the host over from another store, or as the copy of a host',
  },
} as const satisfies OptionSpecs;

export const REJECT_OPTION = {
  rejectOtherClients: {
    kind: 'flag',
    group: 'Safety',
    summary: 'stop accepting clients of a CA that were issued outside this store',
  },
} as const satisfies OptionSpecs;

/** Key and lifetime of a client. */
export const CLIENT_OPTIONS = flagsOf(CLIENT_SETTINGS);

/** How the key of the CA is protected. */
export const PASSPHRASE_OPTIONS = {
  caPassphraseFile: {
    kind: 'text',
    group: 'Certificate',
    value: 'FILE',
    summary: "read the CA's passphrase from a file; or DOCKER_TLS_CA_PASSPHRASE",
    completes: 'file',
  },
  noCaPassphrase: {
    kind: 'flag',
    group: 'Certificate',
    summary: 'store the key of a new CA without a passphrase',
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

type SshValues = OptionValues<typeof SSH_OPTIONS>;
type PassphraseValues = OptionValues<typeof PASSPHRASE_OPTIONS>;
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
    exit: 2,
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
    ...(acceptCa === undefined ? {} : { acceptCa: certificatesOf(acceptCa, cwd) }),
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
    throw new DockerTlsError({ code: 'E_FILE', exit: 2, message: `--accept-ca: ${path} cannot be read`, hints, cause });
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

/** How often somebody may type it. */
const PASSPHRASE_TRIES = 3;
const OLD_CA = { message: 'Passphrase of the CA:' };
/** A slip of the hand would lock the key up under words that nobody knows. */
const NEW_CA = { message: 'New passphrase of the CA:', confirm: true };

/** Where the CA's passphrase comes from: a file, the environment, or a question; for a new CA it may be declined. */
export function passphraseSource(
  options: PassphraseValues,
  runtime: Runtime,
  prompts: Prompts,
  reference?: string,
): PassphraseSource {
  async function given(fresh: boolean): Promise<Secret | undefined> {
    if (options.caPassphraseFile !== undefined)
      return readSecretFile(resolve(runtime.cwd, options.caPassphraseFile), '--ca-passphrase-file');
    const fromEnvironment = runtime.env.DOCKER_TLS_CA_PASSPHRASE;
    if (fromEnvironment) return new Secret(fromEnvironment);
    return reference === undefined || reference === 'none'
      ? undefined
      : readSecret(reference, 'ca.passphrase', runtime, prompts, fresh ? NEW_CA : OLD_CA);
  }
  return {
    async forNewCa() {
      const secret = await given(true);
      if (secret !== undefined || options.noCaPassphrase || reference === 'none') return secret;
      if (!prompts.interactive) {
        throw new DockerTlsError({
          code: 'E_CA_PASSPHRASE',
          exit: 2,
          message: 'no passphrase given for the new CA key; pass --ca-passphrase-file or --no-ca-passphrase',
          hints: ['--ca-passphrase-file FILE (or DOCKER_TLS_CA_PASSPHRASE)', '--no-ca-passphrase'],
        });
      }
      const protect = await prompts.confirm({
        explain:
          'Anyone with the CA key can grant access. A passphrase makes a stolen key file useless; docker-tls asks for it whenever it issues a certificate.',
        message: "Protect the CA's key with a passphrase?",
        default: true,
        flag: '--no-ca-passphrase',
      });
      if (!protect) return undefined;
      return prompts.password({ ...NEW_CA, flag: '--ca-passphrase-file FILE', key: 'ca.passphrase' });
    },
    async forExistingCa(opens) {
      const secret = await given(false);
      if (secret !== undefined) return secret;
      const question = { ...OLD_CA, flag: '--ca-passphrase-file FILE', key: 'ca.passphrase' };
      let typed = await prompts.password(question);
      // After the last one whoever opens the key says what is wrong.
      for (let tries = 1; tries < PASSPHRASE_TRIES && !(await opens(typed)); tries += 1)
        typed = await prompts.password({ ...question, explain: 'The key does not open with that one.' });
      return typed;
    },
  };
}

/** The password for sudo, when the options promise one, or else the fleet file does. */
export async function sudoPassword(
  options: Pick<SshValues, 'askSudoPassword' | 'sudoPasswordFile'>,
  runtime: Runtime,
  prompts: Prompts,
  reference?: string,
): Promise<Secret | undefined> {
  if (options.sudoPasswordFile !== undefined)
    return readSecretFile(resolve(runtime.cwd, options.sudoPasswordFile), '--sudo-password-file');
  const question = { message: 'Password for sudo:' };
  if (options.askSudoPassword)
    return prompts.password({ ...question, flag: '--sudo-password-file FILE', key: 'sudo-password' });
  return reference === undefined ? undefined : readSecret(reference, 'sudo-password', runtime, prompts, question);
}

/** The first line of a file; E_SECRET_FILE (exit 2) when it is not there, empty, or open to everybody on this computer. */
export async function readSecretFile(path: string, flag: string): Promise<Secret> {
  let text: string;
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw noFile(path, flag, 'is a directory');
    if (process.platform !== 'win32' && (found.mode & 0o007) !== 0)
      throw found.isFile() || found.isFIFO() ? openToAll(path, flag) : noFile(path, flag, 'is a device, no file');
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof DockerTlsError) throw cause;
    throw new DockerTlsError({
      code: 'E_SECRET_FILE',
      exit: 2,
      message: `${flag}: ${path} cannot be read`,
      hints: [`ls -l ${shellQuote(path)}`],
      cause,
    });
  }
  const line = text.split(/\r?\n/)[0] ?? '';
  if (line === '') throw new DockerTlsError({ code: 'E_SECRET_FILE', exit: 2, message: `${flag}: ${path} is empty` });
  return new Secret(line);
}

/** No hint to change its mode: /tmp and /dev/null are everybody's on purpose. */
function noFile(path: string, flag: string, what: string): DockerTlsError {
  return new DockerTlsError({ code: 'E_SECRET_FILE', exit: 2, message: `${flag}: ${path} ${what}` });
}

function openToAll(path: string, flag: string): DockerTlsError {
  return new DockerTlsError({
    code: 'E_SECRET_FILE',
    exit: 2,
    message: `${flag}: everybody on this computer can open ${path}`,
    hints: [`chmod 600 ${shellQuote(path)}`],
  });
}

/** A secret that the fleet file names: `env:NAME`, `file:PATH` or `prompt`. Fails with E_SECRET_ENV, E_SECRET_FILE (exit 2). */
export async function readSecret(
  reference: string,
  key: string,
  runtime: Runtime,
  prompts: Prompts,
  question: { readonly message: string; readonly confirm?: boolean },
): Promise<Secret> {
  if (reference.startsWith('file:')) return readSecretFile(resolve(runtime.cwd, reference.slice(5)), key);
  if (reference.startsWith('env:')) {
    const value = runtime.env[reference.slice(4)];
    if (value) return new Secret(value);
    throw new DockerTlsError({
      code: 'E_SECRET_ENV',
      exit: 2,
      message: `${key}: the environment variable ${reference.slice(4)} is not set`,
      hints: [`read -rs ${reference.slice(4)}; export ${reference.slice(4)}`],
    });
  }
  return prompts.password({ ...question, flag: `${key}: env:NAME or file:PATH in the fleet file` });
}
