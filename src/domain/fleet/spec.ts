/** Owns what can be asked for a host, a CA and a client: the common form of flags, wizard answers and the fleet file, with defaults. */

import type { KeyType } from '../pki/keys.ts';

export type SshSpec = {
  /** What ssh dials: a name, an address, an alias of the ssh config, or `local`. */
  readonly destination: string;
  readonly user?: string;
  readonly port?: number;
  readonly identities?: readonly string[];
  readonly configFile?: string;
  readonly jump?: readonly string[];
  readonly transport?: 'ssh2' | 'openssh';
  readonly hostKey?: string;
};

/** One host, complete: every question of setup has a field. */
export type HostSpec = {
  /** Its name in our store. */
  readonly name: string;
  readonly ssh: SshSpec;
  /** What clients dial; undefined: what ssh dialled. */
  readonly address?: string;
  readonly port: number;
  /** Addresses to listen on; empty: all. */
  readonly listen: readonly string[];
  /** Names for the certificate beside those found on the host. */
  readonly sans: readonly string[];
  readonly keyType: KeyType;
  readonly days: number;
  readonly containers: 'keep' | 'may-stop';
  /** Where the server's key is made: here and sent over SSH, or on the host. */
  readonly keys: 'store' | 'host';
  /** Clients that this host accepts; undefined: all of the CA. */
  readonly clients?: readonly string[];
  readonly liveRestore?: boolean;
  /** Generations that the host keeps. */
  readonly keep: number;
  /** Seconds until the host rolls back automatically. */
  readonly confirmWithin: number;
  /** Names of hardening fixes. */
  readonly harden?: readonly string[];
  /** A docker context on this computer. */
  readonly context?: string;
  /** It becomes the current one. */
  readonly use?: boolean;
  /** The client's files go into the Docker config directory itself too. */
  readonly configDirectory?: boolean;
};

export type CaSpec = { readonly name: string; readonly keyType: KeyType; readonly days: number };

export type ClientSpec = {
  readonly name: string;
  readonly keyType: KeyType;
  readonly days: number;
  readonly hosts?: readonly string[];
  /** No host accepts it any more. */
  readonly revoked?: boolean;
};

export const DEFAULTS = {
  port: 2376,
  keyType: 'p256',
  /** Server and client certificates: just under the 398 days that strict clients allow. */
  days: 397,
  caName: 'docker-tls',
  caDays: 3650,
  containers: 'keep',
  keys: 'store',
  keep: 5,
  confirmWithin: 90,
} as const;

/** A host with everything that was not asked for filled in. */
export function completeHost(partial: Partial<HostSpec> & Pick<HostSpec, 'name' | 'ssh'>): HostSpec {
  return {
    port: DEFAULTS.port,
    listen: [],
    sans: [],
    keyType: DEFAULTS.keyType,
    days: DEFAULTS.days,
    containers: DEFAULTS.containers,
    keys: DEFAULTS.keys,
    keep: DEFAULTS.keep,
    confirmWithin: DEFAULTS.confirmWithin,
    ...Object.fromEntries(Object.entries(partial).filter(([, value]) => value !== undefined)),
  } as unknown as HostSpec;
}
