/** Owns the options that say how a host is reached and what it gets: one per question of setup, shared by every command that changes hosts. */

import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { checkName } from '../adapters/store/records.ts';
import { type CaSpec, type ClientSpec, DEFAULTS } from '../domain/fleet/spec.ts';
import { KEY_TYPES } from '../domain/pki/keys.ts';
import { parseSan } from '../domain/pki/names.ts';
import { shellQuote } from '../domain/quote.ts';
import { Secret } from '../domain/secret.ts';
import type { PassphraseSource } from '../engine/key-protection.ts';
import type { HostFlags } from '../engine/specs.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { Runtime } from '../runtime.ts';
import type { OptionSpecs, OptionValues } from './command.ts';
import type { Prompts } from './prompts.ts';

/** How a host is reached. */
export const SSH_OPTIONS = {
  identity: { kind: 'list', short: 'i', value: 'FILE', summary: 'SSH key file', completes: 'file' },
  sshConfig: { kind: 'text', value: 'FILE', summary: 'another file than ~/.ssh/config', completes: 'file' },
  jump: { kind: 'list', value: 'HOST', summary: 'jump hosts, nearest first' },
  transport: {
    kind: 'choice',
    choices: ['ssh2', 'openssh'],
    summary: 'openssh: the ssh of this system, for FIDO keys, certificates and ProxyCommand',
  },
  hostKey: { kind: 'text', value: 'KEY', summary: 'strict, accept-new, or exactly SHA256:…' },
  askSudoPassword: { kind: 'flag', summary: 'ask for the password that sudo wants' },
  sudoPasswordFile: {
    kind: 'text',
    value: 'FILE',
    summary: 'read the password for sudo from a file',
    completes: 'file',
  },
} as const satisfies OptionSpecs;

/** What a host gets. */
export const HOST_OPTIONS = {
  name: { kind: 'text', value: 'NAME', summary: 'its name in our store; default: as dialled' },
  address: { kind: 'text', value: 'NAME', summary: 'what clients dial; default: as ssh dials it' },
  port: { kind: 'number', min: 1, max: 65_535, value: 'PORT', summary: 'TLS port of the daemon; default 2376' },
  listen: { kind: 'list', value: 'ADDR', summary: 'listen on this address only' },
  san: { kind: 'list', value: 'NAME', summary: 'further names and addresses for its certificate' },
  keyType: { kind: 'choice', choices: KEY_TYPES, summary: 'kind of keys; default p256' },
  days: {
    kind: 'number',
    min: 1,
    max: 36_500,
    value: 'N',
    summary: `lifetime of certificates; default ${DEFAULTS.days}`,
  },
  containers: { kind: 'choice', choices: ['keep', 'may-stop'], summary: 'keep (default): no container stops' },
  keys: {
    kind: 'choice',
    choices: ['store', 'host'],
    summary: "host: the server's key is made there and never travels",
  },
  liveRestore: { kind: 'flag', summary: 'leave live-restore switched on' },
  takeOver: { kind: 'flag', summary: 'take the host over from another store, or as the copy of a host' },
  keep: { kind: 'number', min: 1, max: 100, value: 'N', summary: 'generations that the host keeps; default 5' },
  confirmWithin: {
    kind: 'duration',
    value: 'TIME',
    summary: 'roll back automatically unless confirmed within TIME; default 90s',
  },
} as const satisfies OptionSpecs;

/** The CA and how its key is protected. */
export const CA_OPTIONS = {
  caName: { kind: 'text', value: 'NAME', summary: 'name of a new CA; default docker-tls' },
  caDays: {
    kind: 'number',
    min: 1,
    max: 36_500,
    value: 'N',
    summary: `lifetime of a new CA; default ${DEFAULTS.caDays}`,
  },
  caPassphraseFile: {
    kind: 'text',
    value: 'FILE',
    summary: "read the CA's passphrase from a file; or DOCKER_TLS_CA_PASSPHRASE",
    completes: 'file',
  },
  noCaPassphrase: { kind: 'flag', summary: 'store the key of a new CA without a passphrase' },
} as const satisfies OptionSpecs;

/** When a renewal is due. */
export const DUE_OPTIONS = {
  within: {
    kind: 'duration',
    value: 'TIME',
    summary: 'due when it expires within this, for instance 30d; default: after two thirds of its lifetime',
  },
} as const satisfies OptionSpecs;

type SshValues = OptionValues<typeof SSH_OPTIONS>;
type HostValues = OptionValues<typeof HOST_OPTIONS>;
type CaValues = OptionValues<typeof CA_OPTIONS>;

/** What the options say of a host; undefined where they say nothing. Fails with E_NAME (exit 2). */
export function hostFlags(options: SshValues & Partial<HostValues>, cwd: string): HostFlags {
  const filled = (list: readonly string[] | undefined): readonly string[] | undefined =>
    list !== undefined && list.length > 0 ? list : undefined;
  const names = filled(options.san);
  for (const name of names ?? []) parseSan(name);
  if (options.address !== undefined) parseSan(options.address);
  for (const address of options.listen ?? []) requireAddress(address);
  requireHostKey(options.hostKey);
  return {
    ssh: {
      identities: filled(options.identity)?.map((file) => resolve(cwd, file)),
      configFile: options.sshConfig === undefined ? undefined : resolve(cwd, options.sshConfig),
      jump: filled(options.jump),
      transport: options.transport,
      hostKey: options.hostKey,
    },
    name: options.name === undefined ? undefined : checkName('host', options.name),
    address: options.address,
    port: options.port,
    listen: filled(options.listen),
    sans: names,
    keyType: options.keyType,
    days: options.days,
    containers: options.containers,
    keys: options.keys,
    liveRestore: options.liveRestore ? true : undefined,
    keep: options.keep,
    confirmWithin:
      options.confirmWithin === undefined ? undefined : Math.max(10, Math.round(options.confirmWithin / 1000)),
  };
}

function requireHostKey(value: string | undefined): void {
  if (value === undefined || value === 'strict' || value === 'accept-new' || /^SHA256:[A-Za-z0-9+/]{43}=?$/.test(value))
    return;
  throw new DockerTlsError({
    code: 'E_USAGE',
    exit: 2,
    message: `--host-key ${value} is neither strict, accept-new nor a fingerprint`,
    hints: ['--host-key accept-new', 'ssh-keyscan HOST 2>/dev/null | ssh-keygen -lf -'],
  });
}

function requireAddress(text: string): void {
  if (parseSan(text).kind === 'ip') return;
  throw new DockerTlsError({
    code: 'E_NAME',
    exit: 2,
    message: `--listen takes an address of the host, not a name: ${text}`,
    hints: ['--listen 10.0.0.7'],
  });
}

const CA_DEFAULTS: CaSpec = { name: DEFAULTS.caName, keyType: DEFAULTS.keyType, days: DEFAULTS.caDays };

/** A new CA, as the options want it; where they say nothing, as `base` has it. */
export function caSpec(
  options: CaValues & { readonly keyType?: HostValues['keyType'] },
  base: CaSpec = CA_DEFAULTS,
): CaSpec {
  return {
    name: options.caName ?? base.name,
    keyType: options.keyType ?? base.keyType,
    days: options.caDays ?? base.days,
  };
}

/** The client that this computer uses. */
export function clientSpec(
  name: string,
  options: { readonly keyType?: HostValues['keyType']; readonly days?: number },
): ClientSpec {
  return {
    name: checkName('client', name),
    keyType: options.keyType ?? DEFAULTS.keyType,
    days: options.days ?? DEFAULTS.days,
  };
}

/** How often somebody may type it. */
const PASSPHRASE_TRIES = 3;
const OLD_CA = { message: 'Passphrase of the CA:' };
/** A slip of the hand would lock the key up under words that nobody knows. */
const NEW_CA = { message: 'New passphrase of the CA:', confirm: true };

/** Where the CA's passphrase comes from: a file, the environment, or a question; for a new CA it may be declined. */
export function passphraseSource(
  options: CaValues,
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
