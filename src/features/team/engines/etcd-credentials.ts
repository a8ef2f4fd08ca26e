/** etcd credentials from files and the environment, read at first use and rejected if other users can read them. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { HAS_MODES } from '../../../core/adapters/store/modes.ts';
import { splitBundle } from '../../../core/domain/pki/inspect.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { unreadable } from '../../../core/domain/unreadable.ts';
import { readFileOrPipe, whyNotRead } from '../../../core/named-file.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import type { EtcdAddress } from '../store/etcd-address.ts';

export type EtcdCredentials = {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Secret;
  readonly user?: string;
  readonly password?: Secret;
};

/** Fails with E_SECRET_FILE, E_SECRET_ENV, E_FILE (exit 2). */
export async function readEtcdCredentials(
  { ca, cert, certKey, user, password }: EtcdAddress,
  env: Readonly<Record<string, string | undefined>>,
): Promise<EtcdCredentials> {
  const client = cert !== undefined && certKey !== undefined ? await readClient(cert, certKey) : {};
  return {
    ca: ca && (await readCertificates(ca)),
    ...client,
    user,
    password: password === undefined ? undefined : await passwordOf(password, env),
  };
}

/** Detects files that TLS would reject, while their names are known. */
async function readClient(certFile: string, keyFile: string): Promise<{ readonly cert: string; readonly key: Secret }> {
  const cert = await readCertificates(certFile);
  const key = await readPrivate(keyFile);
  let fits: boolean;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key.revealText()));
  } catch {
    // Without the cause: OpenSSL's errors quote the text of a key.
    throw unusable(keyFile, 'it is not a private key without a passphrase', [
      `openssl pkey -noout -in ${shellQuote(keyFile)}`,
    ]);
  }
  if (!fits)
    throw unusable(keyFile, `it is not the key of ${certFile}`, [
      `openssl x509 -noout -text -in ${shellQuote(certFile)}`,
    ]);
  return { cert, key };
}

async function readCertificates(file: string): Promise<string> {
  const text = await readFile(file);
  try {
    for (const each of splitBundle(text)) new X509Certificate(each);
    new X509Certificate(text);
    return text;
  } catch (cause) {
    throw new DockerTlsError('E_FILE', 'it is not a file of certificates (PEM)', {
      where: file,
      hints: [`openssl x509 -noout -text -in ${shellQuote(file)}`],
      cause,
    });
  }
}

async function passwordOf(reference: string, env: Readonly<Record<string, string | undefined>>): Promise<Secret> {
  const [kind = '', ...rest] = reference.split(':');
  const name = rest.join(':');
  if (kind === 'file') return new Secret((await readPrivate(name)).revealText().replace(/\r?\n$/, ''));
  const value = env[name];
  if (value) return new Secret(value);
  throw new DockerTlsError(
    'E_SECRET_ENV',
    'the password for etcd should be in this environment variable, and it is not set',
    { where: name, hints: [`export ${name}`] },
  );
}

async function readFile(file: string): Promise<string> {
  try {
    return (await readFileOrPipe(file)).toString('utf8');
  } catch (cause) {
    throw unreadable('E_FILE', file, cause);
  }
}

async function readPrivate(file: string): Promise<Secret> {
  try {
    const { mode } = statSync(file);
    if (HAS_MODES && (mode & 0o007) !== 0)
      throw unusable(file, 'every local user can read it', [`chmod 600 ${shellQuote(file)}`]);
    return new Secret(await readFileOrPipe(file));
  } catch (cause) {
    if (cause instanceof DockerTlsError) throw cause;
    throw unusable(file, `it cannot be read: ${whyNotRead(cause)}`, [`ls -l ${shellQuote(file)}`]);
  }
}

function unusable(file: string, why: string, hints: string[]): DockerTlsError {
  return new DockerTlsError('E_SECRET_FILE', `the credential for etcd: ${why}`, { where: file, hints });
}
