/**
 * External CA flags, converted to a record without reading the files or contacting the CA. Paths become absolute, except the program of a
 * sign command.
 */

import { resolve } from 'node:path';
import {
  API_KINDS,
  type ApiCa,
  type ApiKind,
  type CaToken,
  type ExternalCa,
  type SignProfile,
} from '../../../core/domain/external-ca.ts';
import type { DockerTlsError } from '../../../errors/errors.ts';
import { usage } from '../../../errors/errors.ts';

/** Options that describe how a CA with an external key signs. */
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

const DEFAULT_PROFILES: Readonly<Record<ApiKind, ApiCa['profiles']>> = {
  'step-ca': { server: 'docker-server', client: 'docker-client', issuer: 'docker-issuer' },
  cfssl: { server: 'docker-server', client: 'docker-client', issuer: 'docker-issuer' },
  vault: { server: 'docker-server', client: 'docker-client', issuer: 'root/sign-intermediate' },
};

/** The external CA in the flags; undefined: none. `trust`: PEM CAs that certify its API. Fails with E_USAGE (exit 2). */
export function externalCaOf(flags: SignerFlags, trust: string, cwd: string): ExternalCa | undefined {
  const urls = { 'step-ca': flags.stepCa, cfssl: flags.cfssl, vault: flags.vault };
  const [kind, another] = API_KINDS.filter((one) => urls[one] !== undefined);
  if (another !== undefined || (kind !== undefined && flags.signCommand !== undefined))
    throw misused('give one of --sign-command, --step-ca, --cfssl and --vault');
  const { profile = [], credentialFile, passphraseFile } = flags;
  if (kind === undefined) {
    if (profile.length > 0 || credentialFile !== undefined || passphraseFile !== undefined)
      throw misused('--profile and --credential-file belong to --step-ca, --cfssl or --vault');
    if (flags.signCommand === undefined) return undefined;
    return { kind: 'command', command: flags.signCommand };
  }
  if (credentialFile === undefined) throw misused(`--${kind} needs --credential-file FILE (${CREDENTIALS[kind]})`);
  if (passphraseFile !== undefined && kind !== 'step-ca') throw misused('--passphrase-file belongs to --step-ca');
  return {
    kind,
    url: apiUrl(kind, urls[kind] ?? ''),
    trust,
    profiles: profilesOf(kind, profile),
    credentialFile: resolve(cwd, credentialFile),
    passphraseFile: passphraseFile && resolve(cwd, passphraseFile),
  };
}

const CREDENTIALS: Readonly<Record<ApiKind, string>> = {
  'step-ca': "the provisioners' private key, JWK or JWE",
  cfssl: 'the authentication key, hexadecimal',
  vault: 'a token',
};

function apiUrl(kind: ApiKind, text: string): string {
  if (!URL.canParse(text)) throw misused(`--${kind} ${text} is not a URL`);
  const url = new URL(text);
  if (url.protocol !== 'https:')
    throw misused(`--${kind} ${text}: only https:// is used, the credential would be readable`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw misused(`--${kind}: the URL takes no user, password or parameters; credentials come from --credential-file`);
  if (kind === 'vault' && !/^\/v1\/./.test(url.pathname))
    throw misused(
      `--vault ${text}: the path of the PKI mount is missing, for instance https://vault.example.org:8200/v1/pki`,
    );
  return url.href.replace(/\/+$/, '');
}

function profilesOf(kind: ApiKind, given: readonly string[]): Readonly<Record<SignProfile, string>> {
  const named = given.map((text) => {
    const [, profile, name] = /^(server|client|issuer)=([A-Za-z0-9][A-Za-z0-9 ._@/:-]*)$/.exec(text) ?? [];
    if (profile === undefined || name === undefined || name.includes('..'))
      throw misused(`--profile ${text} is not server=NAME, client=NAME or issuer=NAME`);
    return [profile, name] as const;
  });
  return { ...DEFAULT_PROFILES[kind], ...Object.fromEntries(named) };
}

function misused(message: string): DockerTlsError {
  return usage(message, [
    "docker-tls ca import --cert ca.pem --sign-command '/usr/local/bin/sign-docker {profile} {days}'",
    'docker-tls ca import --cert intermediate.pem --chain root.pem --whole-chain --step-ca https://ca.example.org --credential-file provisioner.jwk',
  ]);
}

/** The token in `--pkcs11`. RFC 7512: reads `module-path` and `pin-source` from the URI, and rejects a PIN in it. */
export function caTokenOf({ pkcs11, pinFile }: SignerFlags, cwd: string): CaToken | undefined {
  if (pkcs11 === undefined) {
    if (pinFile !== undefined) throw misused('--pin-file belongs to --pkcs11');
    return undefined;
  }
  const [uri = '', query = ''] = pkcs11.split('?');
  if (!/^pkcs11:[A-Za-z0-9%._~:[\]@!$'()*+,=&/;-]+$/.test(uri) || !/(?:^pkcs11:|;)(?:object|id)=/.test(uri))
    throw misused("--pkcs11 is not a URI of a key (RFC 7512), for instance 'pkcs11:token=ca;object=docker-ca'");
  const attributes = new Map(
    query.split('&').flatMap((text) => {
      const [name = '', value = ''] = text.split('=');
      return name === '' ? [] : [[name, decodeURIComponent(value)] as const];
    }),
  );
  if (/pin-value/.test(pkcs11))
    throw misused('--pkcs11: a PIN in the URI is readable by every local user; use --pin-file FILE');
  const unknown = [...attributes.keys()].find((name) => name !== 'module-path' && name !== 'pin-source');
  if (unknown !== undefined) throw misused(`--pkcs11: ${unknown} is not supported; module-path and pin-source are`);
  const module = attributes.get('module-path');
  if (module !== undefined && !/^\/[^\0\r\n$]+$/.test(module))
    throw misused('--pkcs11: module-path has to be an absolute path');
  const source = pinFile ?? attributes.get('pin-source')?.replace(/^file:/, '');
  return { uri, module, pinFile: source && resolve(cwd, source) };
}
