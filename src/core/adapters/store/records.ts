/**
 * Records of the store: hosts, clients and the CA, the parsed state of a whole store, and the contents of a change. A record keeps unknown
 * keys, which a newer program may have written.
 */

import * as z from 'zod/mini';
import { caToken, type Data, externalCa } from '../../domain/external-ca.ts';
import { KEY_TYPES } from '../../domain/pki/key-types.ts';
import type { Secret } from '../../domain/secret.ts';
import { CLIENT_SETTINGS, SSH_SETTINGS, type SshSpec, type StoredSettings } from '../../domain/settings.ts';
import { STORED, storedShape } from '../../domain/settings-stored.ts';
import { choice, count, dialled, recordedDestination, recordedHostKey, roleName } from '../../domain/values.ts';

const text = z.string().check(z.minLength(1));
const number = count(0, Number.MAX_SAFE_INTEGER);
const keyType = choice(KEY_TYPES).schema;
/** ISO 8601 in UTC. */
const time = z.string().check(z.refine((value) => !Number.isNaN(Date.parse(value)), 'this is not a time'));
const dated = { createdAt: time, updatedAt: time };

/** A `host.json`: settings by the fields of their table, and the host's last state. */
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
  /** Clients that the listener in front of the daemon accepts, `NAME ROLE`; absent: the daemon itself accepts clients by their CA. */
  accepts: z.optional(z.array(z.string())),
});

/** A `client.json`: a client with issued credentials. */
export const clientRecord = z.looseObject({
  name: text,
  ...dated,
  /** Hosts that accept it; absent: all. */
  hosts: z.optional(CLIENT_SETTINGS.hosts.schema),
  /** This machine's default client (src/core/actions/own-client.ts). */
  own: z.optional(z.boolean()),
  /** Copies of its files for the docker CLI of this machine: docker contexts, and the config directory itself. */
  copies: z.optional(
    z.array(z.looseObject({ dockerConfig: text, contexts: z.array(z.string()), directory: z.boolean() })),
  ),
  /** Copies outside this store, and tools that read the files only once: a renewal lists them. */
  handedOut: z.optional(
    z.array(
      z.looseObject({
        format: text,
        /** The named hosts; none: all. */
        hosts: z.array(z.string()),
        /** An export; absent: lines that `env` printed for a tool. */
        file: z.optional(text),
        /** The directory of the files on the tool's machine. */
        directory: z.optional(text),
        /** SHA-256 of the exported certificate. */
        certificate: text,
        at: time,
      }),
    ),
  ),
  days: number,
  keyType,
  /** What it may do on hosts whose listener is not dockerd itself; absent: everything. */
  role: z.optional(roleName),
  revokedAt: z.optional(time),
  /** Set for an imported client of another store: the hosts that it reaches, which nothing else in this store needs. */
  reaches: z.optional(z.array(z.looseObject({ name: text, address: text, port: count(1, 65_535) }))),
  /** Its key was made on this machine for a request that others sign. */
  ownKey: z.optional(z.boolean()),
});

/** A `ca.json`. */
export const caRecord = z.looseObject({
  name: text,
  createdAt: time,
  keyType,
  days: number,
  /** How to call the CA if its key is external (docs/ca.md). */
  external: z.optional(externalCa),
  /** The key's location, if it is in a token. */
  token: z.optional(caToken),
  /** The CA issues no intermediate CAs, so hosts cannot reject a single client. */
  leafOnly: z.optional(z.boolean()),
  /** The keys of clients' issuing CAs under it have no passphrase. */
  noPassphrase: z.optional(z.boolean()),
  /** Made by another tool: clients that it issued are not in this store. */
  imported: z.optional(z.boolean()),
  /** PEM of the CAs above an intermediate one. */
  chain: z.optional(text),
  /** The client's trust file contains that chain as well. */
  wholeChain: z.optional(z.boolean()),
});

export type HostRecord = StoredSettings & {
  readonly name: string;
  readonly ssh: SshSpec;
  readonly address: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly generation?: number | undefined;
  readonly accepts?: readonly string[] | undefined;
};
export type ClientRecord = Data<z.output<typeof clientRecord>>;
export type CaRecord = Data<z.output<typeof caRecord>>;
/** Copies in one Docker config directory (DOCKER_CONFIG, absolute, differs between users and jobs). */
export type ClientCopies = NonNullable<ClientRecord['copies']>[number];
/** A copy of a client's credentials on another machine, or read by a tool. */
export type HandedOut = NonNullable<ClientRecord['handedOut']>[number];
/** A host known only through a client's bundle: this store has neither its credentials nor a login for it. */
export type ReachedHost = NonNullable<ClientRecord['reaches']>[number];

/** Certificates are PEM text (perhaps several in one); keys are PEM in a Secret, absent if external. */
export type StoredCa = { readonly cert: string; readonly keyPem?: Secret; readonly record: CaRecord };
/** `serial`: the name of its directory, the certificate's serial in upper case hexadecimal, see caDirectoryName. */
export type StoredOldCa = {
  readonly serial: string;
  readonly cert: string;
  readonly keyPem?: Secret;
  readonly record?: CaRecord;
};
/** The issuing CA of a client. During a rotation `cert` also contains the previous one, after it, and `oldKeyPem` is that one's key. */
export type StoredIssuer = { readonly cert: string; readonly keyPem?: Secret; readonly oldKeyPem?: Secret };
export type StoredHost = {
  readonly record: HostRecord;
  /** The host's trust file: the contents of its `ca.pem`. */
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

/** Everything in the store, parsed. `directory` is the absolute path usable as DOCKER_CERT_PATH. */
export type StoreState = {
  readonly ca?: StoredCa;
  readonly oldCas: readonly StoredOldCa[];
  readonly issuers: ReadonlyMap<string, StoredIssuer>;
  readonly hosts: ReadonlyMap<string, StoredHost>;
  readonly clients: ReadonlyMap<string, StoredClient & { readonly directory: string }>;
};

/**
 * The changes of one write, all or nothing. An entry replaces everything stored under its name (and drops an omitted key), so spread the
 * present entry: `{ ...state.hosts.get(name), record: {…} }`. The key in `hosts` and `clients` is the record's own name. Removing a missing
 * entry is not an error.
 */
export type StoreChange = {
  readonly ca?: StoredCa;
  /** Move the active CA to the old ones, before `ca` takes its place. */
  readonly retireCa?: boolean;
  /** Old CAs to add or replace, for instance from another tool's store. */
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
