/**
 * THE table of settings of a host (and of its SSH access, of a client, of a CA): value, default, flag, words, and storage. Source of
 * types, flags and help, the wizard's questions, the fleet file with its JSON Schema, and the tables of docs/lists/fleet-keys.md. It also determines
 * store records, and the settings that the host keeps with a generation.
 */

import type * as z from 'zod/mini';
import { FEATURE_SETTINGS, ofFeatures } from '../seams/feature-settings.ts';
import { given } from './given.ts';
import { KEY_TYPES } from './pki/key-types.ts';
import type { Settings } from './setting.ts';
import type { RunMarks } from './store-settings.ts';
import * as values from './values.ts';
import { choice, list, names, on, onOff, text, whole } from './values.ts';

const [own, kept] = [true, true] as const;
const [ssh, host, certificate] = [{ group: 'Connection' }, { group: 'Host' }, { group: 'Certificate' }] as const;
const safety = { group: 'Safety' } as const;
const cli = { flag: { group: 'Docker CLI' }, own: true, here: true } as const;
const none: readonly never[] = [];
const MAX_DAYS = 36_500;
const keyType = { ...choice(KEY_TYPES), default: 'p256' } as const;
/** Server and client certificates: just under the 398 days that strict clients allow. */
const days = { ...whole(1, MAX_DAYS), default: 397, flag: { ...certificate, value: 'N' } } as const;
const hasConfig = FEATURE_SETTINGS.all.includes('configFile');
const config = hasConfig ? 'ssh config, else ' : '';

/** SSH access to a host, besides the destination. */
export const SSH_SETTINGS = {
  user: { ...text(values.user), summary: 'who logs in', otherwise: `${config}your own name` },
  port: { ...whole(1, 65_535), summary: 'port of sshd', otherwise: `${config}22` },
  identities: {
    ...list(values.file),
    summary: 'SSH key files, in this order',
    otherwise: hasConfig ? 'ssh config, agent' : 'agent',
    flag: { ...ssh, name: 'identity', short: 'i', value: 'FILE' },
  },
  ...ofFeatures({
    configFile: {
      ...text(values.file),
      summary: 'another file than ~/.ssh/config',
      flag: { ...ssh, name: 'sshConfig', value: 'FILE' },
      key: 'config',
    },
  } as const),
  jump: {
    ...list(values.destination),
    summary: 'jump hosts, nearest first',
    ...(hasConfig && { otherwise: 'ssh config' }),
    flag: { ...ssh, value: 'HOST' },
  },
  ...ofFeatures({
    transport: {
      ...choice(['ssh2', 'openssh']),
      summary: 'ssh2 (built in), or openssh (the ssh program)',
      otherwise: 'ssh2, and openssh where the ssh config or a key needs it',
      flag: ssh,
    },
  } as const),
  hostKey: {
    ...text(values.hostKey),
    summary:
      'its key (SHA256:… or TYPE BASE64), accept-new (once, while no key is recorded), or strict (known_hosts alone, records no key)',
    otherwise: 'the recorded key; without one, known_hosts',
    flag: { ...ssh, value: 'KEY' },
  },
  ...ofFeatures({
    rootless: {
      ...on,
      summary: "the user's own (rootless) Docker: nothing runs as root, and nothing asks for sudo",
      otherwise: 'setup looks for it where no other runs',
      flag: ssh,
    },
  } as const),
} as const satisfies Settings;

/** Settings of a host. */
export const HOST_SETTINGS = {
  address: {
    ...text(values.dialled),
    summary: 'name or IP address that clients dial',
    otherwise: 'what ssh dials',
    flag: { ...host, value: 'NAME' },
    question: {
      message: 'Address:',
      explain: 'Which name or IP address do clients dial? It goes into the certificate.',
    },
    own,
  },
  description: {
    ...text(values.line),
    summary: 'purpose of the host, shown by status',
    flag: { ...host, value: 'TEXT' },
    own,
  },
  port: {
    ...whole(1, 65_535),
    default: 2376,
    summary: 'TLS port of the daemon',
    flag: { ...host, value: 'PORT' },
    kept,
  },
  reach: {
    ...choice(['direct', 'ssh']),
    default: 'direct',
    summary: 'ssh: this machine cannot dial the TLS port (a bastion), so it is verified through the jump host',
    flag: host,
  },
  listen: {
    ...values.ownAddresses,
    default: none,
    summary: 'IP addresses to listen on; none: no port, only sockets on the host (listener haproxy)',
    otherwise: 'all',
    flag: { ...host, value: 'ADDR' },
    kept,
  },
  ...ofFeatures({
    listener: {
      ...choice(['dockerd', 'haproxy']),
      otherwise: 'dockerd',
      summary: 'who accepts clients: dockerd itself, or HAProxy in front of it (no restart of dockerd, roles)',
      flag: host,
      kept,
    },
    install: { ...on, summary: 'install HAProxy where it is missing; remove takes it away', flag: host, here: true },
    roles: {
      ...list(values.roleRule),
      summary: 'roles of your own, one request that a role allows in each: ROLE METHOD /path',
      otherwise: 'full, read and monitor alone',
      flag: { ...host, name: 'roleRule', value: 'RULE' },
      kept,
    },
    sockets: {
      ...list(values.roleSocket),
      summary: 'sockets for containers on the host, each with a role: NAME ROLE makes /run/docker-tls/NAME.sock',
      flag: { ...host, name: 'socket', value: 'SOCKET' },
      kept,
    },
    otherClients: {
      ...text(values.roleName),
      summary: 'role of clients of other CAs that the host accepts',
      otherwise: 'they are refused',
      flag: { ...host, value: 'ROLE' },
      kept,
    },
  } as const),
  sans: {
    ...list(values.san),
    default: none,
    summary: 'further names and addresses for the certificate, in addition to those found on the host',
    flag: { ...certificate, name: 'san', value: 'NAME' },
    question: { message: 'Further names (none: Enter):', explain: 'Is it reached by other names or addresses too?' },
    kept,
  },
  keyType: { ...keyType, summary: "type of the server's key", flag: certificate, kept },
  days: { ...days, summary: "lifetime of the server's certificate in days", kept },
  keys: {
    ...choice(['store', 'host']),
    default: 'store',
    summary: "host: the server's key is made on the host and never travels",
    // The setting itself stays: a host that has it is refused without the feature.
    ...(FEATURE_SETTINGS.all.includes('keys') ? { flag: certificate } : ({} as { flag: typeof certificate })),
    kept,
  },
  clients: { ...names, summary: 'clients that the host accepts, or all', otherwise: 'all', kept },
  acceptCa: {
    ...text(values.acceptCa),
    summary: 'CAs (PEM) whose clients are accepted too; existing: those that the daemon trusts before setup; none',
    otherwise: 'as before',
    flag: { ...safety, value: 'FILE' },
    kept,
  },
  containers: {
    ...choice(['keep', 'may-stop']),
    default: 'keep',
    summary: 'containers across a restart',
    flag: safety,
  },
  allowUnreadSettings: { ...on, summary: 'also where dockerd has unread settings', flag: safety, here: true },
  liveRestore: { ...onOff, summary: 'leave live-restore on afterwards', otherwise: 'as it is', flag: safety, kept },
  keep: { ...whole(1, 100), default: 5, summary: 'generations that the host keeps', flag: { ...safety, value: 'N' } },
  confirmWithin: {
    ...text(values.seconds),
    default: 90,
    otherwise: '90s',
    summary: 'time to confirm, or roll back',
    flag: { ...safety, value: 'TIME' },
  },
  ...ofFeatures({
    harden: {
      ...list(values.fix),
      summary:
        'fixes of docker-tls harden that belong to the host; docker-group:USER keeps that user in the group, sshd:max-auth-tries=N and banner:text=TEXT are their values',
      kept,
    },
    context: {
      ...text(values.contextName),
      summary: 'a docker context of this name, on each computer that runs setup or apply',
      ...cli,
      flag: { ...cli.flag, value: 'NAME' },
    },
    use: {
      ...on,
      summary: "make that context the current one; without a name, one of the host's name",
      ...cli,
    },
    configDirectory: {
      ...on,
      summary: "put the client's files into the Docker config directory too, for plain DOCKER_TLS_VERIFY=1",
      ...cli,
    },
  } as const),
} as const satisfies Settings;

export const CLIENT_SETTINGS = {
  keyType: { ...keyType, summary: 'type of its key', flag: certificate },
  days: { ...days, summary: 'lifetime of its certificate in days' },
  hosts: { ...names, summary: 'hosts that accept it, or all', otherwise: 'all' },
  revoked: { ...onOff, summary: 'true: no host accepts it' },
  ...ofFeatures({
    role: {
      ...text(values.roleName),
      summary: 'what it may do on hosts whose listener is haproxy',
      otherwise: 'full',
      flag: { ...certificate, value: 'ROLE' },
    },
  } as const),
} as const satisfies Settings;

export const CA_SETTINGS = {
  name: {
    ...text(values.named(64)),
    default: 'docker-tls',
    summary: 'name of a new CA',
    flag: { ...certificate, name: 'caName', value: 'NAME' },
  },
  keyType: { ...keyType, summary: 'type of its key' },
  days: {
    ...whole(1, MAX_DAYS),
    default: 3650,
    summary: 'lifetime of a new CA in days',
    flag: { ...certificate, name: 'caDays', value: 'N' },
  },
  ...ofFeatures({
    cert: {
      ...text(values.file),
      summary: 'a CA of your own (PEM), whose key is external: one of the next five signs',
    },
    stepCa: { ...text(values.line), summary: 'URL of the step-ca that signs' },
    cfssl: { ...text(values.line), summary: 'URL of the cfssl that signs' },
    vault: { ...text(values.line), summary: 'URL of the Vault or OpenBao that signs, with the mount' },
    signCommand: { ...text(values.line), summary: 'command that signs; split into words, no shell' },
    pkcs11: { ...text(values.line), summary: 'its key in a token or KMS (RFC 7512)' },
    pinFile: { ...text(values.file), summary: 'file with the PIN of that token', otherwise: 'a prompt' },
    credentialFile: { ...text(values.file), summary: 'file with the key or token that step-ca, cfssl or Vault wants' },
    passphraseFile: { ...text(values.file), summary: 'file with the passphrase of an encrypted key of step-ca' },
    profiles: { ...list(values.line), summary: "USE=NAME: that CA's own name for server, client or issuer" },
    tlsRoot: { ...text(values.file), summary: 'the CA of its API (PEM)', otherwise: 'the CA and its chain' },
    chain: { ...text(values.file), summary: 'the CAs above an intermediate one (PEM)' },
    wholeChain: { ...on, summary: "that chain goes into clients' ca.pem too" },
    leafOnly: { ...on, summary: 'it signs no CAs: dockerd cannot reject its clients one by one' },
  } as const),
} as const satisfies Settings;

type Frozen<T> = T extends readonly (infer E)[] ? readonly E[] : T;
type ValueOf<S> = S extends { readonly schema: infer Z extends z.ZodMiniType } ? Frozen<z.output<Z>> : never;
export type FieldsWith<T, P> = { [K in keyof T]: T[K] extends P ? K : never }[keyof T];
type Defaulted<T> = FieldsWith<T, { readonly default: unknown }>;
/** Values of a table; those with a default are always set. */
export type ValuesOf<T> = { readonly [K in Defaulted<T>]: ValueOf<T[K]> } & {
  readonly [K in Exclude<keyof T, Defaulted<T>>]?: ValueOf<T[K]> | undefined;
};

export type HostSettings = ValuesOf<typeof HOST_SETTINGS>;
export type KeptSettings = Pick<HostSettings, FieldsWith<typeof HOST_SETTINGS, { readonly kept: true }>>;
export type StoredSettings = Omit<HostSettings, FieldsWith<typeof HOST_SETTINGS, { readonly here: true }>>;
export type SshSpec = ValuesOf<typeof SSH_SETTINGS> &
  RunMarks & {
    /** ssh's target: a name, an address, an alias of the ssh config, or `local`. */
    readonly destination: string;
  };
/** A complete host. */
export type HostSpec = HostSettings & { readonly name: string; readonly ssh: SshSpec };
export type ClientSpec = ValuesOf<typeof CLIENT_SETTINGS> & { readonly name: string };
export type CaSpec = ValuesOf<typeof CA_SETTINGS>;

/** The entries of `values` that the table has; undefined becomes the table's default. */
export function completeSettings<T extends Settings>(table: T, values: Readonly<Record<string, unknown>>): ValuesOf<T> {
  const own = Object.entries(table).map(([field, setting]) => [field, values[field] ?? setting.default]);
  return given(Object.fromEntries(own)) as ValuesOf<T>;
}

/** A host with defaults for all missing settings. */
export function completeHost(host: Partial<HostSettings> & Pick<HostSpec, 'name' | 'ssh'>): HostSpec {
  return { name: host.name, ssh: host.ssh, ...completeSettings(HOST_SETTINGS, host) };
}

export const CLIENT_DEFAULTS = completeSettings(CLIENT_SETTINGS, {});
export const CA_DEFAULTS = completeSettings(CA_SETTINGS, {});
