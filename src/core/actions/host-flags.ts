/** From flag values to specs of hosts, clients and a CA, each parsed by the rule of its setting. */

import { resolve } from 'node:path';
import type { HostFlags } from '../domain/hosts/specs.ts';
import { checkName } from '../domain/names.ts';
import { optionFlag } from '../domain/option-flag.ts';
import type { Setting, Settings } from '../domain/setting.ts';
import { readSetting } from '../domain/setting-problems.ts';
import {
  CA_DEFAULTS,
  CA_SETTINGS,
  type CaSpec,
  CLIENT_DEFAULTS,
  CLIENT_SETTINGS,
  type ClientSpec,
  HOST_SETTINGS,
  type HostSettings,
  SSH_SETTINGS,
  type SshSpec,
  type ValuesOf,
} from '../domain/settings.ts';
import { unreadable } from '../domain/unreadable.ts';
import { isAcceptWord } from '../domain/values.ts';
import { readFileOrPipe } from '../named-file.ts';

export type GivenOptions = Readonly<Record<string, unknown>>;

/** Run settings of every command that changes hosts. */
export const RUN_SETTINGS = {
  containers: HOST_SETTINGS.containers,
  allowUnreadSettings: HOST_SETTINGS.allowUnreadSettings,
  confirmWithin: HOST_SETTINGS.confirmWithin,
};

/** The values of a table's flags. Fails with E_USAGE, E_NAME (exit 2). */
function givenBy<T extends Settings>(table: T, options: GivenOptions): Partial<ValuesOf<T>> {
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

/** Host settings in the options of any command that connects to hosts: the login, and settings of this run. */
export function runFlags(options: GivenOptions, cwd: string): HostFlags {
  const { identities, configFile, ...ssh }: Partial<SshSpec> = givenBy(SSH_SETTINGS, options);
  return {
    ssh: {
      ...ssh,
      identities: identities?.map((file) => resolve(cwd, file)),
      configFile: configFile === undefined ? undefined : resolve(cwd, configFile),
    },
    ...givenBy(RUN_SETTINGS, options),
  };
}

/** Host settings in the options of `setup`. Fails with E_USAGE, E_NAME (exit 2). */
export async function hostFlags(
  options: GivenOptions & { readonly name?: string; readonly acceptCa?: string },
  cwd: string,
): Promise<HostFlags> {
  const { acceptCa } = options;
  const given: Partial<HostSettings> = givenBy(HOST_SETTINGS, {
    ...options,
    acceptCa: acceptCa === undefined ? undefined : await certificatesOf(acceptCa, cwd),
  });
  return {
    ...runFlags(options, cwd),
    ...given,
    name: options.name === undefined ? undefined : checkName('host', options.name),
  };
}

/** The value of `--accept-ca`: a keyword, or the contents of the file. Fails with E_FILE (exit 2). */
async function certificatesOf(word: string, cwd: string): Promise<string> {
  if (isAcceptWord(word)) return word;
  const path = resolve(cwd, word);
  try {
    return (await readFileOrPipe(path)).toString('utf8');
  } catch (cause) {
    throw unreadable('E_FILE', path, cause);
  }
}

/** A new CA as the options describe it; `base` supplies the rest. */
export function caSpec(
  options: GivenOptions & { readonly keyType?: CaSpec['keyType'] },
  base: CaSpec = CA_DEFAULTS,
): CaSpec {
  return { ...base, ...givenBy(CA_SETTINGS, options), keyType: options.keyType ?? base.keyType };
}

/** The client of this machine. */
export function clientSpec(name: string, given: Partial<Pick<ClientSpec, 'keyType' | 'days'>>): ClientSpec {
  return { name: checkName('client', name), ...CLIENT_DEFAULTS, ...givenBy(CLIENT_SETTINGS, given) };
}
