/** The signer of a CA whose key is on another machine: a command, or the API of step-ca, cfssl, Vault or OpenBao. Part of a `ca.json`. */

import * as z from 'zod/mini';

const text = z.string().check(z.minLength(1));

export const API_KINDS = ['step-ca', 'cfssl', 'vault'] as const;
export type ApiKind = (typeof API_KINDS)[number];

/** What a certificate is for. `issuer`: a client's issuing CA, which signs for that client alone. */
export type SignProfile = 'server' | 'client' | 'issuer';

/** The names of the profiles at the CA: step-ca's provisioners, cfssl's profiles, Vault's roles (for `issuer`: a path). */
const profiles = z.object({ server: text, client: text, issuer: text });

const apiCa = z.looseObject({
  kind: z.enum(API_KINDS),
  /** `https://…`; of Vault with the path of the mount: `https://…/v1/pki`. */
  url: text,
  /** PEM: the only CAs that may certify the API's own server. */
  trust: text,
  profiles,
  /** Absolute path: a provisioner's key (JWK or JWE), an authentication key (hexadecimal), a token. */
  credentialFile: text,
  /** Absolute path: the passphrase of an encrypted provisioner key. */
  passphraseFile: z.optional(text),
});
export const externalCa = z.union([z.looseObject({ kind: z.literal('command'), command: text }), apiCa]);

/** What a schema reads: read-only, and without the door for keys that it does not know. */
export type Data<T> = T extends readonly (infer E)[]
  ? readonly Data<E>[]
  : T extends object
    ? { readonly [K in keyof T as string extends K ? never : K]: Data<T[K]> }
    : T;

export type ApiCa = Data<z.output<typeof apiCa>>;
export type ExternalCa = Data<z.output<typeof externalCa>>;

export const DEFAULT_PROFILES: Readonly<Record<ApiKind, ApiCa['profiles']>> = {
  'step-ca': { server: 'docker-server', client: 'docker-client', issuer: 'docker-issuer' },
  cfssl: { server: 'docker-server', client: 'docker-client', issuer: 'docker-issuer' },
  vault: { server: 'docker-server', client: 'docker-client', issuer: 'root/sign-intermediate' },
};

/** The key of a CA in a hardware token or a KMS (PKCS#11). */
export const caToken = z.looseObject({
  /** RFC 7512: which key. */
  uri: text,
  /** Absolute path of the PKCS#11 module; absent: p11-kit's, which knows all. */
  module: z.optional(text),
  /** Absolute path; absent: it is asked for. */
  pinFile: z.optional(text),
});
export type CaToken = Data<z.output<typeof caToken>>;

export function signerWords({ external, token }: Signer): string {
  return external === undefined ? `signed by the token ${token?.uri ?? ''}` : `signed by ${externalCaWords(external)}`;
}

/** The options that say how a CA signs whose key is not here. */
export type SignerFlags = {
  readonly signCommand?: string | undefined;
  readonly stepCa?: string | undefined;
  readonly cfssl?: string | undefined;
  readonly vault?: string | undefined;
  readonly profile?: readonly string[] | undefined;
  readonly credentialFile?: string | undefined;
  readonly passphraseFile?: string | undefined;
  readonly pkcs11?: string | undefined;
  readonly pinFile?: string | undefined;
};

/** One of the two. */
export type Signer = { readonly external?: ExternalCa | undefined; readonly token?: CaToken | undefined };

export function externalCaWords(ca: ExternalCa): string {
  if (ca.kind === 'command') return ca.command;
  return `${{ 'step-ca': 'step-ca', cfssl: 'cfssl', vault: 'Vault' }[ca.kind]} at ${ca.url}`;
}
