/** Owns the flags that describe an external CA: they become a record, checked and with absolute paths, without asking the CA. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { anchorCommand, splitCommand } from '../adapters/issuer/sign-command.ts';
import {
  API_KINDS,
  type ApiKind,
  type CaToken,
  DEFAULT_PROFILES,
  type ExternalCa,
  type SignProfile,
} from '../domain/external-ca.ts';
import { shellQuote } from '../domain/quote.ts';
import { DockerTlsError, usage } from '../errors/errors.ts';
import { readIn } from './files.ts';

export type ExternalCaFlags = {
  readonly signCommand?: string | undefined;
  readonly stepCa?: string | undefined;
  readonly cfssl?: string | undefined;
  readonly vault?: string | undefined;
  readonly profile?: readonly string[] | undefined;
  readonly credentialFile?: string | undefined;
  readonly passphraseFile?: string | undefined;
};

type CaFiles = ExternalCaFlags &
  Parameters<typeof caTokenOf>[0] & {
    readonly cert: string;
    readonly chain?: string | undefined;
    readonly tlsRoot?: string | undefined;
  };

/** The certificates of a CA of one's own (PEM), and how it signs from here. Fails with E_FILE (exit 2), and as the flags' readers do. */
export async function readCa(flags: CaFiles, cwd: string) {
  const text = async (file: string): Promise<string> => (await readIn(file, cwd)).toString('utf8');
  const cert = await text(flags.cert);
  const chain = flags.chain === undefined ? undefined : await text(flags.chain);
  const trust = flags.tlsRoot === undefined ? `${cert}\n${chain ?? ''}` : await text(flags.tlsRoot);
  return { cert, chain, external: externalCaOf(flags, trust, cwd), token: caTokenOf(flags, cwd) };
}

/**
 * The external CA that flags name; undefined: none. `trust`: PEM of the CAs that certify its API. Fails with E_USAGE, E_SECRET_FILE (exit 2).
 */
function externalCaOf(flags: ExternalCaFlags, trust: string, cwd: string): ExternalCa | undefined {
  const urls = { 'step-ca': flags.stepCa, cfssl: flags.cfssl, vault: flags.vault };
  const [kind, another] = API_KINDS.filter((one) => urls[one] !== undefined);
  if (another !== undefined || (kind !== undefined && flags.signCommand !== undefined))
    throw misused('give one of --sign-command, --step-ca, --cfssl and --vault');
  const { profile = [], credentialFile, passphraseFile } = flags;
  if (kind === undefined) {
    if (profile.length > 0 || credentialFile !== undefined || passphraseFile !== undefined)
      throw misused('--profile and --credential-file belong to --step-ca, --cfssl or --vault');
    if (flags.signCommand === undefined) return undefined;
    splitCommand(flags.signCommand);
    return { kind: 'command', command: anchorCommand(flags.signCommand, cwd) };
  }
  if (credentialFile === undefined) throw misused(`--${kind} needs --credential-file FILE (${CREDENTIALS[kind]})`);
  if (passphraseFile !== undefined && kind !== 'step-ca') throw misused('--passphrase-file belongs to --step-ca');
  return {
    kind,
    url: apiUrl(kind, urls[kind] ?? ''),
    trust,
    profiles: profilesOf(kind, profile),
    credentialFile: secretFile(credentialFile, '--credential-file', cwd),
    passphraseFile: passphraseFile && secretFile(passphraseFile, '--passphrase-file', cwd),
  };
}

const CREDENTIALS: Readonly<Record<ApiKind, string>> = {
  'step-ca': "the provisioners' private key, JWK or JWE",
  cfssl: 'the authentication key, hexadecimal',
  vault: 'a token',
};

function apiUrl(kind: ApiKind, text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw misused(`--${kind} ${text} is not a URL`);
  }
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

function secretFile(path: string, flag: string, cwd: string): string {
  const file = resolve(cwd, path);
  if (existsSync(file)) return file;
  throw new DockerTlsError('E_SECRET_FILE', `${flag}: ${file} is not there`, { hints: [`ls -l ${shellQuote(file)}`] });
}

function misused(message: string): DockerTlsError {
  return usage(message, [
    "docker-tls ca import --cert ca.pem --sign-command '/usr/local/bin/sign-docker {profile} {days}'",
    'docker-tls ca import --cert intermediate.pem --chain root.pem --whole-chain --step-ca https://ca.example.org --credential-file provisioner.jwk',
  ]);
}

/** The token that `--pkcs11` names. RFC 7512: `module-path` and `pin-source` are read from the URI, a PIN in it is refused. */
function caTokenOf(
  { pkcs11, pinFile }: { readonly pkcs11?: string | undefined; readonly pinFile?: string | undefined },
  cwd: string,
): CaToken | undefined {
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
  return { uri, module, pinFile: source && secretFile(source, '--pin-file', cwd) };
}
