/**
 * Schema of fleet.yaml: the tables of settings.ts plus its own keys. Source of the JSON Schema for editors and of the tables in
 * docs/lists/fleet-keys.md (json-schema.ts).
 */

import * as z from 'zod/mini';
import { defaultWords, fleetKey, type Setting, type Settings } from '../../../core/domain/setting.ts';
import { CA_SETTINGS, CLIENT_SETTINGS, HOST_SETTINGS, SSH_SETTINGS } from '../../../core/domain/settings.ts';
import { checked, destination, name } from '../../../core/domain/values.ts';
import { checkSecretReference, SECRET_REFERENCE_PATTERN } from '../../../formats/secret-reference.ts';

/** Reference to a secret; a literal secret is refused, and not repeated in the error. */
const secret = checked(checkSecretReference, {
  pattern: SECRET_REFERENCE_PATTERN,
  examples: ['prompt', 'env:NAME', 'file:PATH'],
});

const caPassphrase = checked((value) => value === 'none' || checkSecretReference(value), {
  pattern: SECRET_REFERENCE_PATTERN.replace('prompt)', 'prompt|none)'),
  examples: ['prompt', 'env:DOCKER_TLS_CA_PASSPHRASE', 'none'],
});

type Shape = Readonly<Record<string, z.ZodMiniType>>;

function described<T extends z.ZodMiniType>(schema: T, words: string): T {
  return schema.check(z.describe(words)) as T;
}

function shapeOf(table: Settings): Shape {
  const words = (setting: Setting) => {
    const otherwise = defaultWords(setting);
    const choices = setting.kind === 'choice' ? ` (${setting.choices.join(', ')})` : '';
    return `${setting.summary}${choices}${otherwise === undefined ? '' : `; default: ${otherwise}`}`;
  };
  return Object.fromEntries(
    Object.entries(table).map(([field, setting]) => [
      fleetKey(field, setting),
      described(setting.schema, words(setting)),
    ]),
  );
}

/** A map with only these keys, all of them optional. */
function mapOf(shape: Shape) {
  return z.partial(z.strictObject(shape));
}

const shared = Object.fromEntries(Object.entries<Setting>(HOST_SETTINGS).filter(([, setting]) => !setting.own));
const sudo = {
  'sudo-password': described(secret, 'where the password for sudo comes from: env:NAME, file:PATH or prompt'),
};

const sshDefaults = mapOf(shapeOf(SSH_SETTINGS));
export const sshMap = mapOf({
  destination: described(
    destination,
    "what ssh dials: a name, an address, an alias of the ssh config, or local; default: the host's name",
  ),
  ...shapeOf(SSH_SETTINGS),
});
const ssh = described(
  z.union([destination, sshMap]),
  'how the host is reached: [user@]name[:port], local, or a map; default: its name',
);

export const hostSchema = mapOf({ ssh, ...shapeOf(HOST_SETTINGS), ...sudo });
/** Defaults of all hosts. */
export const defaultsSchema = mapOf({
  ssh: described(sshDefaults, 'how hosts are reached'),
  ...shapeOf(shared),
  ...sudo,
});
export const clientSchema = mapOf(shapeOf(CLIENT_SETTINGS));
export const caSchema = mapOf({
  ...shapeOf(CA_SETTINGS),
  passphrase: described(
    caPassphrase,
    "where its key's passphrase comes from: env:NAME, file:PATH or prompt; none: a new CA's key is stored without one",
  ),
});

/** Values of names under hosts and clients. */
export const hostValueSchema = z.union([destination, hostSchema, z.null()]);
export const clientValueSchema = z.union([clientSchema, z.null()]);

export const fleetSchema = z.strictObject({
  version: described(z.literal(1), 'version of this format'),
  ca: z.optional(described(caSchema, 'the CA that all hosts and clients of the fleet share')),
  defaults: z.optional(
    described(
      defaultsSchema,
      'settings of every host that does not set them itself; ssh is merged key by key, lists are replaced as a whole',
    ),
  ),
  hosts: z.optional(
    described(
      z.nullable(z.record(name, hostValueSchema)),
      'name of each host to what it is: a map, just [user@]name[:port], or nothing where ssh dials the name itself',
    ),
  ),
  clients: z.optional(described(z.nullable(z.record(name, clientValueSchema)), 'name of each client to what it is')),
});

/** Parsed entries: keys of the file, values of the tables. */
export type FleetEntry = Readonly<Record<string, unknown>>;
export type SshEntry = FleetEntry & {
  readonly destination?: string;
  readonly user?: string;
  readonly port?: number;
  readonly identities?: readonly string[];
};
export type HostEntry = FleetEntry & { readonly ssh?: string | SshEntry; readonly 'sudo-password'?: string };
export type FleetFile = {
  readonly ca?: FleetEntry & { readonly passphrase?: string };
  readonly defaults?: FleetEntry & { readonly ssh?: SshEntry; readonly 'sudo-password'?: string };
  readonly hosts?: Readonly<Record<string, HostEntry | string | null>> | null;
  readonly clients?: Readonly<Record<string, FleetEntry | null>> | null;
};

/** Allowed keys of the map at `path`, for suggestions. */
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
