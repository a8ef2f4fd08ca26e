/** The desired state of one host: everything that a plan is made from besides the facts. */

import type { KeyType } from '../pki/key-types.ts';
import type { San } from '../pki/names.ts';
import type { Secret } from '../secret.ts';
import type { HostSpec } from '../settings.ts';
import type { CaId } from '../trust/ca-id.ts';

/** A server certificate that is to be issued. */
export type CertificateRequest = {
  readonly names: readonly San[];
  readonly keyType: KeyType;
  readonly days: number;
  readonly reason: string;
};

/** What a host is to have, by names and ids: neither certificates nor keys. */
export type DesiredCredentials = {
  /** CAs in its trust file. */
  readonly trust: readonly CaId[];
  /** `keep`: ids of the certificate that the store has and of its chain. */
  readonly certificate: { readonly keep: readonly string[] } | { readonly issue: CertificateRequest };
  /** `send`: from here; `keep`: the one on the host stays; `host`: the host makes one. */
  readonly key: KeySource['kind'];
};

/** Where the server's key of the new generation comes from. */
export type KeySource =
  | { readonly kind: 'send'; readonly key: Secret }
  /** The active key of the host stays. */
  | { readonly kind: 'keep' }
  /** A key that the host made itself, at this path. */
  | { readonly kind: 'host'; readonly path: string };

/** The same as it is sent, made once the plan is agreed to. */
export type Credentials = {
  /** Trust file: PEM of every CA whose clients are accepted. */
  readonly ca: string;
  /** Server certificate, chain included. */
  readonly cert: string;
  readonly key: KeySource;
};

/** A file, link, attribute, membership or kernel setting that hardening wants, beside what TLS needs. */
export type ExtraChange =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: string;
      /** It is the administrator's: a link is followed, and mode and owner stay as they are. */
      readonly edited?: boolean;
      readonly content: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'attributes';
      readonly path: string;
      readonly mode: string;
      readonly owner: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'member';
      readonly group: string;
      readonly user: string;
      readonly present: boolean;
      readonly reason: string;
    }
  | {
      /** A kernel setting that is to have this value now. */
      readonly kind: 'sysctl';
      readonly key: string;
      /** Of each interface where the key has a `*`: `default=0 NAME=1`; those that are not named get the default. */
      readonly value: string;
      readonly reason: string;
    }
  | {
      /** Packets for 127.0.0.0/8 that do not come over lo are to be dropped now. */
      readonly kind: 'loopback';
      readonly reason: string;
    };

/** What a plan needs of the spec, with the credentials and what hardening adds. */
export type DesiredHost = Pick<HostSpec, 'name' | 'port' | 'listen' | 'containers' | 'liveRestore'> & {
  readonly credentials: DesiredCredentials;
  /** Further keys of daemon.json (hardening); undefined takes a key out. */
  readonly daemonSettings?: Readonly<Record<string, unknown>>;
  readonly extras?: readonly ExtraChange[];
  readonly reloadSshd?: boolean;
  readonly loadAuditRules?: boolean;
  /** What the fixes that are new on this host cost. */
  readonly costs?: readonly string[];
  /** Fixes that the host is not to get now, and that would change it. */
  readonly unmade?: readonly string[];
  /** Notes beside the plan: fixes that cannot be made, or are not active yet. */
  readonly notes?: readonly string[];
};
