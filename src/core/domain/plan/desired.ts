/** Desired state of one host: every input of a plan besides the facts. */

import type { KeyType } from '../pki/key-types.ts';
import type { San } from '../pki/san.ts';
import type { Secret } from '../secret.ts';
import type { HostSpec } from '../settings.ts';
import type { CaId } from '../trust/ca-id.ts';
import type { FileChange, Reload } from './file-change.ts';
import type { DesiredListener } from './listener.ts';

/** A server certificate to issue. */
export type CertificateRequest = {
  readonly names: readonly San[];
  readonly keyType: KeyType;
  readonly days: number;
  readonly reason: string;
};

/** Desired credentials of a host, by names and IDs, without certificates or keys. */
export type DesiredCredentials = {
  /** CAs of the trust file. */
  readonly trust: readonly CaId[];
  /** `keep`: IDs of the stored certificate and its chain. */
  readonly certificate: { readonly keep: readonly string[] } | { readonly issue: CertificateRequest };
  /** `send`: from this machine; `keep`: the host's active key; `host`: generated on the host. */
  readonly key: KeySource['kind'];
};

/** Source of the server key of the new generation. */
type KeySource =
  | { readonly kind: 'send'; readonly key: Secret }
  /** The host's active key. */
  | { readonly kind: 'keep' }
  /** A key generated on the host, at this path. */
  | { readonly kind: 'host'; readonly path: string };

/** Credentials as sent, created after the plan is approved. */
export type Credentials = {
  /** Trust file: PEM of every CA whose clients are accepted. */
  readonly ca: string;
  /** Server certificate, chain included. */
  readonly cert: string;
  readonly key: KeySource;
};

/** What a plan needs of the spec, with the credentials and what hardening adds. */
export type DesiredHost = Pick<HostSpec, 'name' | 'port' | 'listen' | 'containers' | 'liveRestore'> & {
  readonly credentials: DesiredCredentials;
  /** Accepts clients in front of the daemon. Absent: the daemon does it itself. */
  readonly listener?: DesiredListener | undefined;
  /** Further keys of daemon.json (hardening); undefined removes a key. */
  readonly daemonSettings?: Readonly<Record<string, unknown>>;
  /** Changes by fixes, in addition to TLS. */
  readonly extras?: readonly FileChange[];
  /** Services that may read these. */
  readonly reloads?: readonly Reload[];
  /** Side effects of the fixes that are new on this host. */
  readonly costs?: readonly string[];
  /** Skipped fixes that would change the host. */
  readonly unmade?: readonly string[];
  /** Notes for the plan: fixes that cannot be applied, or are not active yet. */
  readonly notes?: readonly string[];
};
