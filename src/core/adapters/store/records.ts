/**
 * Records of the store: hosts, clients and the CA, what a whole store looks like once read,
 * what a change to it may hold. A record keeps keys that it does not know: they are a newer program's.
 */

import * as z from 'zod/mini';
import { caToken, type Data, externalCa } from '../../domain/external-ca.ts';
import { KEY_TYPES } from '../../domain/pki/key-types.ts';
import type { Secret } from '../../domain/secret.ts';
import { CLIENT_SETTINGS, SSH_SETTINGS, type SshSpec, type StoredSettings } from '../../domain/settings.ts';
import { STORED, storedShape } from '../../domain/settings-stored.ts';
import { choice, count, dialled, recordedDestination, recordedHostKey } from '../../domain/values.ts';

const text = z.string().check(z.minLength(1));
const number = count(0, Number.MAX_SAFE_INTEGER);
const keyType = choice(KEY_TYPES).schema;
/** ISO 8601 in UTC. */
const time = z.string().check(z.refine((value) => !Number.isNaN(Date.parse(value)), 'this is not a time'));
const dated = { createdAt: time, updatedAt: time };

/** A `host.json`: settings by the fields of their table, and how the host was left. */
export const hostRecord = z.looseObject({
  name: text,
  ssh: z.looseObject({
    destination: recordedDestination,
    ...storedShape(SSH_SETTINGS),
    hostKey: z.optional(recordedHostKey),
  }),
  ...storedShape(STORED),
  address: dialled,
  ...dated,
  generation: z.optional(number),
});

/** A `client.json`: a client that was issued credentials. */
export const clientRecord = z.looseObject({
  name: text,
  ...dated,
  /** Which hosts accept it; absent: all. */
  hosts: z.optional(CLIENT_SETTINGS.hosts.schema),
  /** It is this computer's own (src/core/actions/own-client.ts). */
  own: z.optional(z.boolean()),
  /** Where the docker CLI of this computer holds copies of its files: docker contexts, and the config directory itself. */
  copies: z.optional(
    z.array(z.looseObject({ dockerConfig: text, contexts: z.array(z.string()), directory: z.boolean() })),
  ),
  /** Copies that left this store, and tools that read the files only once: a renewal has to name them. */
  handedOut: z.optional(
    z.array(
      z.looseObject({
        format: text,
        /** The hosts that were named; none: all. */
        hosts: z.array(z.string()),
        /** An export; absent: lines that `env` printed for a tool. */
        file: z.optional(text),
        /** Where the tool finds the files on its computer. */
        directory: z.optional(text),
        /** SHA-256 of the certificate that was handed out. */
        certificate: text,
        at: time,
      }),
    ),
  ),
  days: number,
  keyType,
  revokedAt: z.optional(time),
  /** It was issued by another store and imported here: the hosts it reaches, which nothing else here has to know. */
  reaches: z.optional(z.array(z.looseObject({ name: text, address: text, port: count(1, 65_535) }))),
  /** Its key was made on this computer for a request that others sign. */
  ownKey: z.optional(z.boolean()),
});

/** A `ca.json`. */
export const caRecord = z.looseObject({
  name: text,
  createdAt: time,
  keyType,
  days: number,
  /** How the CA is asked where the key is external (docs/ca.md). */
  external: z.optional(externalCa),
  /** Where the key is, if it is in a token. */
  token: z.optional(caToken),
  /** That CA makes no issuing CAs, so no single client can be rejected. */
  leafOnly: z.optional(z.boolean()),
  /** The keys of clients' issuing CAs under it are stored without a passphrase. */
  noPassphrase: z.optional(z.boolean()),
  /** It was made by another tool: clients that it issued there are not in this store. */
  imported: z.optional(z.boolean()),
  /** PEM of the CAs above an intermediate one. */
  chain: z.optional(text),
  /** The trust file of a client holds that chain as well. */
  wholeChain: z.optional(z.boolean()),
});

export type HostRecord = StoredSettings & {
  readonly name: string;
  readonly ssh: SshSpec;
  readonly address: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly generation?: number | undefined;
};
export type ClientRecord = Data<z.output<typeof clientRecord>>;
export type CaRecord = Data<z.output<typeof caRecord>>;
/** Copies in one Docker config directory (DOCKER_CONFIG, absolute, differs between users and jobs). */
export type ClientCopies = NonNullable<ClientRecord['copies']>[number];
/** A copy of a client's credentials that is not on this computer, or that a tool has read. */
export type HandedOut = NonNullable<ClientRecord['handedOut']>[number];
/** A host that is known only through a client's bundle: neither its own credentials nor a way to log in are here. */
export type ReachedHost = NonNullable<ClientRecord['reaches']>[number];

/** Certificates are PEM text (perhaps several in one); keys are PEM in a Secret, absent where they are external. */
export type StoredCa = { readonly cert: string; readonly keyPem?: Secret; readonly record: CaRecord };
/** `serial`: the name of its directory, which is the certificate's serial in upper case hexadecimal, see caDirectoryName. */
export type StoredOldCa = {
  readonly serial: string;
  readonly cert: string;
  readonly keyPem?: Secret;
  readonly record?: CaRecord;
};
/** The issuing CA of a client; during a rotation `cert` holds the one before after it, and `oldKeyPem` is that one's key. */
export type StoredIssuer = { readonly cert: string; readonly keyPem?: Secret; readonly oldKeyPem?: Secret };
export type StoredHost = {
  readonly record: HostRecord;
  /** The trust file of the host: what its `ca.pem` holds. */
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey?: Secret;
};
export type StoredClient = {
  readonly record: ClientRecord;
  readonly ca: string;
  readonly cert: string;
  readonly key?: Secret;
};

/** Everything in the store, parsed. `directory` is the absolute path that works as DOCKER_CERT_PATH. */
export type StoreState = {
  readonly ca?: StoredCa;
  readonly oldCas: readonly StoredOldCa[];
  readonly issuers: ReadonlyMap<string, StoredIssuer>;
  readonly hosts: ReadonlyMap<string, StoredHost>;
  readonly clients: ReadonlyMap<string, StoredClient & { readonly directory: string }>;
};

/**
 * What one write changes, all or nothing. An entry replaces all that was stored under its name (a key that is left out is
 * gone afterwards), so spread what was read: `{ ...state.hosts.get(name), record: {…} }`. The key in `hosts` and `clients` is
 * the record's own name. Removing what is not there is no error.
 */
export type StoreChange = {
  readonly ca?: StoredCa;
  /** Move the active CA to the old ones, before `ca` takes its place. */
  readonly retireCa?: boolean;
  /** Old CAs to add or replace, for instance when a store of another tool is taken over. */
  readonly oldCas?: readonly Omit<StoredOldCa, 'serial'>[];
  readonly issuers?: Readonly<Record<string, StoredIssuer>>;
  readonly hosts?: Readonly<Record<string, StoredHost>>;
  readonly clients?: Readonly<Record<string, StoredClient>>;
  readonly removeHosts?: readonly string[];
  readonly removeClients?: readonly string[];
  readonly removeIssuers?: readonly string[];
  /** Serials. */
  readonly removeOldCas?: readonly string[];
};
