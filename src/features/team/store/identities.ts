/** A user's identities: the file in DOCKER_TLS_IDENTITY, docker-tls' own file, or their SSH keys. */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { HAS_MODES } from '../../../core/adapters/store/modes.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { readFileOrPipe, whyNotRead } from '../../../core/named-file.ts';
import { homeDirectory } from '../../../core/user.ts';
import { DockerTlsError, errnoOf } from '../../../errors/errors.ts';
import { readString } from '../../../formats/sshsig.ts';
import { type IdentityFile, sshKeyText } from './ssh-keys.ts';

export type IdentityOptions = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Prompts for the passphrase of an SSH key; absent without a terminal. */
  readonly ask?: ((question: { file: string; again?: boolean }) => Promise<Secret>) | undefined;
};

/** Default paths of identities without DOCKER_TLS_IDENTITY, in this order. */
function identityPlaces({ env }: Pick<IdentityOptions, 'env'>): string[] {
  const home = homeDirectory(env);
  const config = env.XDG_CONFIG_HOME || join(home, '.config');
  return [join(config, 'docker-tls', 'identity'), join(home, '.ssh', 'id_ed25519'), join(home, '.ssh', 'id_rsa')];
}

/** The user's identities. A named file must exist; default paths need not. Fails with E_SECRET_FILE. */
export async function findIdentities(options: IdentityOptions): Promise<IdentityFile[]> {
  const named = options.env.DOCKER_TLS_IDENTITY;
  const files = named ? named.split(delimiter).map((file) => resolve(options.cwd, file)) : identityPlaces(options);
  const found: IdentityFile[] = [];
  for (const file of files) {
    const text = await readPrivate(file, Boolean(named));
    const identity = text === undefined ? undefined : identityOf(file, text, options);
    if (identity !== undefined) found.push(identity);
    else if (named) throw unusable(file, 'it holds neither an identity of age nor an SSH key of type ed25519 or rsa');
  }
  return found;
}

async function readPrivate(file: string, named: boolean): Promise<string | undefined> {
  try {
    const { mode } = statSync(file);
    if (HAS_MODES && (mode & 0o077) !== 0)
      throw unusable(file, 'other users can read it', [`chmod 600 ${shellQuote(file)}`]);
    return (await readFileOrPipe(file)).toString('utf8');
  } catch (error) {
    if (error instanceof DockerTlsError) throw error;
    if (!named && ['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined;
    throw unusable(file, `it cannot be read: ${whyNotRead(error)}`);
  }
}

function unusable(file: string, why: string, hints: string[] = ['export DOCKER_TLS_IDENTITY=FILE']): DockerTlsError {
  return new DockerTlsError('E_SECRET_FILE', `this is not an identity for the store: ${why}`, { where: file, hints });
}

function identityOf(file: string, text: string, { ask }: IdentityOptions): IdentityFile | undefined {
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith('AGE-SECRET-KEY-'));
  if (lines.length > 0) return { kind: 'age', file, lines: lines.map((line) => new Secret(line.trim())) };
  const recipient = publicOf(text);
  if (recipient === undefined) return undefined;
  let key: Promise<KeyObject> | undefined;
  return {
    kind: 'ssh',
    file,
    recipient,
    // One prompt per run.
    open() {
      key ??= openKey(file, text, ask);
      return key;
    },
  };
}

const OPENSSH = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/;
const MAGIC = 'openssh-key-v1\0';

/** Public half, stored in clear in OpenSSH's format: magic, cipher, kdf, options, number of keys, public key. */
function publicOf(text: string): string | undefined {
  const body = OPENSSH.exec(text)?.[1];
  if (body === undefined) return rsaOf(text);
  const bytes = Buffer.from(body, 'base64');
  if (bytes.subarray(0, MAGIC.length).toString('latin1') !== MAGIC) return undefined;
  let at = MAGIC.length;
  for (let skipped = 0; skipped < 3; skipped++) at += 4 + readString(bytes, at).length;
  const blob = readString(bytes, at + 4);
  const type = readString(blob, 0).toString('latin1');
  return ['ssh-ed25519', 'ssh-rsa'].includes(type) ? `${type} ${blob.toString('base64')}` : undefined;
}

/** An RSA key in PEM without a passphrase, as older programs write it. */
function rsaOf(text: string): string | undefined {
  try {
    const { kty, n = '', e = '' } = createPublicKey(text).export({ format: 'jwk' });
    if (kty !== 'RSA') return undefined;
    const number = (value: string) => {
      const bytes = Buffer.from(value, 'base64url');
      return (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
    };
    return sshKeyText('ssh-rsa', number(e), number(n));
  } catch {
    return undefined;
  }
}

async function openKey(file: string, text: string, ask: IdentityOptions['ask']): Promise<KeyObject> {
  const { default: ssh2 } = await import('ssh2');
  const opened = ssh2.utils.parseKey(text);
  if (!(opened instanceof Error)) return createPrivateKey(opened.getPrivatePEM());
  if (ask === undefined) {
    const hints = [
      'a key without a passphrase, for this alone: ssh-keygen -t ed25519 -N "" -f FILE',
      'export DOCKER_TLS_IDENTITY=FILE',
    ];
    throw new DockerTlsError(
      'E_STORE_CLOSED',
      'this SSH key opens the store and has a passphrase, and there is no terminal to ask for it on',
      { where: file, hints },
    );
  }
  for (let again = false; ; again = true) {
    const key = ssh2.utils.parseKey(text, (await ask({ file, again })).reveal());
    if (!(key instanceof Error)) return createPrivateKey(key.getPrivatePEM());
  }
}
