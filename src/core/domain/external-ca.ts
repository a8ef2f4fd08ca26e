/** Signer of a CA with an external key: a command, or the API of step-ca, cfssl, Vault or OpenBao. Part of `ca.json`. */

import * as z from 'zod/mini';

const text = z.string().check(z.minLength(1));

export const API_KINDS = ['step-ca', 'cfssl', 'vault'] as const;
export type ApiKind = (typeof API_KINDS)[number];

/** Purpose of a certificate. `issuer`: a client's issuing CA, limited to that client. */
export type SignProfile = 'server' | 'client' | 'issuer';

/** Profile names at the CA: step-ca's provisioners, cfssl's profiles, Vault's roles (for `issuer`: a path). */
const profiles = z.object({ server: text, client: text, issuer: text });

const apiCa = z.looseObject({
  kind: z.enum(API_KINDS),
  /** `https://…`; for Vault with the path of the mount: `https://…/v1/pki`. */
  url: text,
  /** PEM: the only CAs trusted for the API server's certificate. */
  trust: text,
  profiles,
  /** A file of this machine (SignerFiles): a provisioner's key (JWK or JWE), an authentication key (hexadecimal), a token. */
  credentialFile: z.optional(text),
  /** The same: the passphrase of an encrypted provisioner key. */
  passphraseFile: z.optional(text),
});
export const externalCa = z.union([z.looseObject({ kind: z.literal('command'), command: text }), apiCa]);

/** Output type of a schema: read-only, without index signatures for unknown keys. */
export type Data<T> = T extends readonly (infer E)[]
  ? readonly Data<E>[]
  : T extends object
    ? { readonly [K in keyof T as string extends K ? never : K]: Data<T[K]> }
    : T;

export type ApiCa = Data<z.output<typeof apiCa>>;
export type ExternalCa = Data<z.output<typeof externalCa>>;

/** The key of a CA in a hardware token or a KMS (PKCS#11). */
export const caToken = z.looseObject({
  /** RFC 7512 URI of the key. */
  uri: text,
  /** A file of this machine (SignerFiles): the PKCS#11 module; absent: p11-kit's, since it finds all modules. */
  module: z.optional(text),
  /** The same; absent: prompt for the PIN. */
  pinFile: z.optional(text),
});
export type CaToken = Data<z.output<typeof caToken>>;

export function signerWords({ external, token }: CaSigner): string {
  return external === undefined ? `signed by the token ${token?.uri ?? ''}` : `signed by ${externalCaWords(external)}`;
}

/** At most one of the two is set. */
export type CaSigner = { readonly external?: ExternalCa | undefined; readonly token?: CaToken | undefined };

export function externalCaWords(ca: ExternalCa): string {
  if (ca.kind === 'command') return ca.command;
  return `${{ 'step-ca': 'step-ca', cfssl: 'cfssl', vault: 'Vault' }[ca.kind]} at ${ca.url}`;
}
