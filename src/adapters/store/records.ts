/**
 * Owns what the store remembers: the records of hosts, clients and the CA, what a whole store looks like once read,
 * what a change to it may hold. Records are checked by hand, which costs no import.
 */

import type { SshSpec } from '../../domain/fleet/spec.ts';
import type { KeyType } from '../../domain/pki/keys.ts';
import type { Secret } from '../../domain/secret.ts';

export { checkName, nameProblem } from '../../domain/fleet/names.ts';

/** A host that was set up. Times are ISO 8601 in UTC. */
export type HostRecord = {
  readonly name: string;
  /** What clients dial. */
  readonly address: string;
  readonly port: number;
  readonly ssh: SshSpec;
  readonly listen?: string;
  readonly sans: readonly string[];
  /** Those of them that somebody asked for; absent: nobody knows any more. */
  readonly requestedSans?: readonly string[];
  readonly keyType: KeyType;
  /** Lifetime of its certificates. */
  readonly days: number;
  readonly containers: 'keep' | 'may-stop';
  /** Where the server's key is made and kept; absent: `store`. */
  readonly keys?: 'store' | 'host';
  /** Which clients this host accepts; absent: all of the CA. */
  readonly clients?: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly generation?: number;
  readonly liveRestore?: boolean;
  /** How many generations the host keeps. */
  readonly keep?: number;
  /** Seconds until the host rolls itself back unless the change is confirmed. */
  readonly confirmWithin?: number;
  readonly harden?: readonly string[];
};

/** A client that was issued credentials. Times are ISO 8601 in UTC. */
export type ClientRecord = {
  readonly name: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Which hosts accept it; absent: all. */
  readonly hosts?: readonly string[];
  /** It is this computer's own (workflows/own-client.ts). */
  readonly own?: boolean;
  /** Where the docker CLI of this computer holds copies of its files. */
  readonly copies?: readonly ClientCopies[];
  readonly days: number;
  readonly keyType: KeyType;
  readonly revokedAt?: string;
  /** It was issued elsewhere and imported here: the hosts it reaches, which nothing else here has to know. */
  readonly reaches?: readonly ReachedHost[];
  /** Its key was made on this computer for a request that others sign. */
  readonly ownKey?: boolean;
};

/** Copies in one Docker config directory (DOCKER_CONFIG differs between users and jobs): docker contexts, and the directory itself. */
export type ClientCopies = {
  /** Absolute. */
  readonly dockerConfig: string;
  readonly contexts: readonly string[];
  readonly directory: boolean;
};

/** A host that is known only through a client's bundle: neither its own credentials nor a way to log in are here. */
export type ReachedHost = { readonly name: string; readonly address: string; readonly port: number };

export type CaRecord = {
  readonly name: string;
  readonly createdAt: string;
  readonly keyType: KeyType;
  readonly days: number;
  /** The command that signs where the key is elsewhere (docs/ca.md). */
  readonly signCommand?: string;
  /** PEM of the CAs above an intermediate one. */
  readonly chain?: string;
};

/** Certificates are PEM text (perhaps several in one); keys are PEM in a Secret, absent where they are kept elsewhere. */
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
  /** Move the CA in force to the old ones, before `ca` takes its place. */
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
