/**
 * Owns the shape of fleet.yaml: every key, what it may hold and what it means. The types, the checks and the JSON Schema for
 * editors all come from here. Keys are the flags of `setup`. Import it lazily: zod takes some 50 ms.
 */

import * as z from 'zod';
import { DockerTlsError } from '../../errors/errors.ts';
import { ALL_FIXES } from '../audit/fixes.ts';
import { KEY_TYPES } from '../pki/keys.ts';
import { parseSan } from '../pki/names.ts';
import { parseDestination } from './destination.ts';
import { confirmSeconds } from './fleet-time.ts';
import { contextNameProblem, NAME_HINT, nameProblem } from './names.ts';
import { parseSecretReference, SECRET_REFERENCE_PATTERN } from './secret-reference.ts';
import { DEFAULTS } from './spec.ts';

/** Seconds that a change may wait for its confirmation. */
const CONFIRM = { min: 10, max: 86_400 };
const MAX_DAYS = 36_500;
/** nameProblem's rule for editors, but for the names that Windows reserves. */
const NAME_PATTERN = '^[A-Za-z0-9](?:[A-Za-z0-9_@+-]|\\.(?=[A-Za-z0-9_@+-]))*$';

/** A string that `check` accepts; what it throws becomes the problem. */
function checked(check: (value: string) => void) {
  return z.string().superRefine((value, context) => {
    try {
      check(value);
    } catch (error) {
      if (!(error instanceof DockerTlsError)) throw error;
      context.addIssue({ code: 'custom', message: error.message, params: { hints: error.hints } });
    }
  });
}

function refuse(message: string, hints: readonly string[] = []): never {
  throw new DockerTlsError({ code: 'E_FLEET', exit: 2, message, hints });
}

function checkPath(value: string): void {
  if (value === '') refuse('the name of a file is empty');
  if (value.startsWith('-'))
    refuse('a file name that begins with - would be taken for an option', [`write ./${value}`]);
}

function checkConfirm(value: string): void {
  const seconds = confirmSeconds(value);
  if (seconds === undefined) refuse('this is no time; write 90s, 15m or 2h');
  if (seconds < CONFIRM.min || seconds > CONFIRM.max) refuse('a change waits from 10s up to 24h for its confirmation');
}

function isDestination(value: string): boolean {
  try {
    parseDestination(value);
    return true;
  } catch {
    return false;
  }
}

/** Each entry once: a second one is a slip of the hand. */
function unique<T extends z.ZodType>(item: T) {
  return z.array(item).superRefine((list, context) => {
    list.forEach((entry, index) => {
      if (list.indexOf(entry) < index)
        context.addIssue({
          code: 'custom',
          message: `${typeof entry === 'object' ? 'this' : String(entry)} is listed twice`,
          path: [index],
        });
    });
  });
}

function count(min: number, max: number) {
  return z.number().int().min(min).max(max);
}

function checkedName(maxLength: number) {
  return checked((value) => {
    const why =
      nameProblem(value) ?? (value.length > maxLength ? `it is longer than ${maxLength} characters` : undefined);
    if (why !== undefined) refuse(`"${value.slice(0, 60)}" cannot be a name: ${why}`, [NAME_HINT]);
  }).meta({ pattern: NAME_PATTERN, maxLength });
}

const name = checkedName(128);
const file = checked(checkPath);
const destination = checked((value) => {
  if (!isDestination(value)) {
    refuse(`"${value}" is not a host: [user@]name[:port], or local`, [
      'ssh: root@build-1.example.org',
      'ssh: admin@[2001:db8::7]:2222',
    ]);
  }
});
const keyType = z.enum(KEY_TYPES);

const secret = checked((value) => void parseSecretReference(value)).meta({
  pattern: SECRET_REFERENCE_PATTERN,
  examples: ['prompt', 'env:NAME', 'file:PATH'],
});

const caPassphrase = checked((value) => {
  if (value !== 'none') parseSecretReference(value);
}).meta({
  pattern: SECRET_REFERENCE_PATTERN.replace('prompt)', 'prompt|none)'),
  examples: ['prompt', 'env:DOCKER_TLS_CA_PASSPHRASE', 'none'],
});

/** Client names, or `all`, which takes a list in `defaults` back. */
const nameList = z.union([z.literal('all'), unique(name).min(1)]);

const sshCommon = {
  user: checked((value) => {
    if (!isDestination(`${value}@host`)) refuse(`"${value}" is no name of a user`);
  }).describe('Who logs in; default: what the ssh config says, else your own name.'),
  port: count(1, 65_535).describe('The port of sshd; default: what the ssh config says, else 22.'),
  identities: unique(file).describe('Key files, tried in this order. Relative to the fleet file; ~/ is your home.'),
  config: file.describe('Another file than ~/.ssh/config.'),
  jump: unique(destination).describe('Jump hosts, nearest first, each [user@]name[:port].'),
  transport: z
    .enum(['ssh2', 'openssh'])
    .describe('openssh: the ssh program of this system, for FIDO keys, certificates and ProxyCommand.'),
  'host-key': checked((value) => {
    if (!/^(?:strict|accept-new|SHA256:[A-Za-z0-9+/]{43}=?)$/.test(value)) {
      refuse('this is neither strict, accept-new nor a fingerprint SHA256:…', [
        'ssh-keyscan HOST 2>/dev/null | ssh-keygen -lf -',
      ]);
    }
  })
    .meta({ pattern: '^(strict|accept-new|SHA256:[A-Za-z0-9+/]{43}=?)$' })
    .describe(
      'strict (default): only keys in known_hosts; accept-new: store unknown ones; SHA256:…: exactly this one.',
    ),
};

const sshDefaults = z.strictObject(sshCommon).partial();
const sshMap = z
  .strictObject({
    destination: destination.describe(
      "What ssh dials: a name, an address, an alias of the ssh config, or local. Default: the host's name.",
    ),
    ...sshCommon,
  })
  .partial();
const ssh = z.union([destination, sshMap]).describe('How the host is reached: [user@]name[:port], local, or a map.');

const hostCommon = {
  port: count(1, 65_535).describe(`TLS port of the daemon; default ${DEFAULTS.port}.`),
  listen: unique(
    checked((value) => {
      if (parseSan(value).kind !== 'ip')
        refuse('the daemon listens on an address, not on a name', ['for instance 10.0.0.7']);
    }),
  ).describe('Addresses to listen on; default: all.'),
  sans: unique(checked((value) => void parseSan(value))).describe(
    'Names and addresses for the certificate, beside those found on the host.',
  ),
  'key-type': keyType.describe(`Kind of the server's key; default ${DEFAULTS.keyType}.`),
  days: count(1, MAX_DAYS).describe(`Lifetime of the server's certificate in days; default ${DEFAULTS.days}.`),
  containers: z.enum(['keep', 'may-stop']).describe('keep (default): nothing is done that would stop a container.'),
  keys: z
    .enum(['store', 'host'])
    .describe("host: the server's key is made on the host and never travels. Default store."),
  clients: nameList.describe('Clients that the host accepts; default: all of the CA.'),
  'live-restore': z.boolean().describe('Leave live-restore switched on, or off; default: as the host has it.'),
  keep: count(1, 100).describe(`Generations that the host keeps; default ${DEFAULTS.keep}.`),
  'confirm-within': z
    .union([count(CONFIRM.min, CONFIRM.max), checked(checkConfirm).meta({ pattern: '^[0-9]{1,6}[smh]$' })])
    .describe(
      `The host goes back on its own unless the change is confirmed within this; seconds, or 90s, 15m, 2h. Default ${DEFAULTS.confirmWithin}s.`,
    ),
  harden: unique(z.enum(ALL_FIXES.map((fix) => fix.name))).describe('Fixes of `harden` that belong to the host.'),
  'sudo-password': secret.describe('Where the password for sudo comes from: env:NAME, file:PATH or prompt.'),
};

/** One host as a map. */
export const hostSchema = z
  .strictObject({
    ssh,
    address: checked((value) => {
      if (parseSan(value).value.startsWith('*')) refuse('clients dial one name, not a wildcard');
    }).describe('What clients dial; default: what ssh dials.'),
    ...hostCommon,
    context: checked((value) => {
      const why = contextNameProblem(value);
      if (why !== undefined) refuse(`"${value.slice(0, 60)}" cannot be the name of a docker context: ${why}`);
    }).describe('A docker context of this name, on the computer that runs setup or apply.'),
    use: z.literal(true).describe("It becomes the current context; without `context` one of the host's name."),
    'config-directory': z
      .literal(true)
      .describe("The client's files go into the Docker config directory itself too, for plain DOCKER_TLS_VERIFY=1."),
  })
  .partial();

/** What all hosts have. */
export const defaultsSchema = z
  .strictObject({ ssh: sshDefaults.describe('How hosts are reached.'), ...hostCommon })
  .partial();

const clientSchema = z
  .strictObject({
    'key-type': keyType.describe(`Kind of the client's key; default ${DEFAULTS.keyType}.`),
    days: count(1, MAX_DAYS).describe(`Lifetime of the client's certificate in days; default ${DEFAULTS.days}.`),
    hosts: nameList.describe('Hosts that accept it; default: all.'),
    revoked: z.boolean().describe('true: no host accepts it any more.'),
  })
  .partial();

/** What may stand behind a name under hosts and clients. */
export const hostValueSchema = z.union([destination, hostSchema, z.null()]);
export const clientValueSchema = z.union([clientSchema, z.null()]);

const caSchema = z
  .strictObject({
    name: checkedName(64).describe(`Name of a new CA; default ${DEFAULTS.caName}.`),
    'key-type': keyType.describe(`Kind of its key; default ${DEFAULTS.keyType}.`),
    days: count(1, MAX_DAYS).describe(`Its lifetime in days; default ${DEFAULTS.caDays}.`),
    passphrase: caPassphrase.describe(
      "Where its key's passphrase comes from: env:NAME, file:PATH or prompt; none: a new CA's key is stored without one.",
    ),
  })
  .partial();

export const fleetSchema = z.strictObject({
  version: z.literal(1).describe('Version of this format.'),
  ca: caSchema.optional().describe('The CA that all hosts and clients of the fleet share.'),
  defaults: defaultsSchema
    .optional()
    .describe('What every host has unless it says otherwise. ssh is merged key by key; lists are replaced as a whole.'),
  hosts: z
    .record(name, hostValueSchema)
    .nullable()
    .optional()
    .describe(
      'Name of each host to what it is: a map, just [user@]name[:port], or nothing where ssh dials the name itself.',
    ),
  clients: z.record(name, clientValueSchema).nullable().optional().describe('Name of each client to what it is.'),
});

export type FleetFile = z.infer<typeof fleetSchema>;
export type HostEntry = z.infer<typeof hostSchema>;
export type DefaultsEntry = z.infer<typeof defaultsSchema>;
export type ClientEntry = z.infer<typeof clientSchema>;
export type CaEntry = z.infer<typeof caSchema>;
export type SshEntry = z.infer<typeof sshMap>;

/** The keys that a map may have, for the nearest right name. `path` is that of the map. */
export function knownKeys(path: readonly (string | number)[]): string[] {
  const [section, entry, inner] = path;
  const shape = (() => {
    if (section === undefined) return fleetSchema.shape;
    if (section === 'ca') return caSchema.shape;
    if (section === 'defaults') return entry === 'ssh' ? sshDefaults.shape : defaultsSchema.shape;
    if (section === 'hosts') return inner === 'ssh' ? sshMap.shape : hostSchema.shape;
    return clientSchema.shape;
  })();
  return Object.keys(shape);
}

/** JSON Schema (draft 7, which yaml-language-server reads) of the fleet file. */
export function fleetJsonSchema(): Record<string, unknown> {
  return { title: 'docker-tls fleet file', ...z.toJSONSchema(fleetSchema, { target: 'draft-7', io: 'input' }) };
}
