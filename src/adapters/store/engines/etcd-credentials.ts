/** Owns the credentials for etcd: read from files and the environment when they are first needed, and refused where others can read them. */

import { readFileSync, statSync } from 'node:fs';
import { shellQuote } from '../../../domain/quote.ts';
import { Secret } from '../../../domain/secret.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { errnoOf, HAS_MODES } from '../files.ts';
import type { EtcdAddress } from '../team/etcd-address.ts';

export type EtcdCredentials = {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Secret;
  readonly user?: string;
  readonly password?: Secret;
};

/** Fails with E_SECRET_FILE, E_SECRET_ENV, E_FILE (exit 2). */
export function readEtcdCredentials(
  { ca, cert, certKey, user, password }: EtcdAddress,
  env: Readonly<Record<string, string | undefined>>,
): EtcdCredentials {
  return {
    ...(ca === undefined ? {} : { ca: readFile(ca) }),
    ...(cert === undefined ? {} : { cert: readFile(cert) }),
    ...(certKey === undefined ? {} : { key: readPrivate(certKey) }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password: passwordOf(password, env) }),
  };
}

function passwordOf(reference: string, env: Readonly<Record<string, string | undefined>>): Secret {
  const [kind = '', ...rest] = reference.split(':');
  const name = rest.join(':');
  if (kind === 'file')
    return new Secret(
      readPrivate(name)
        .revealText()
        .replace(/\r?\n$/, ''),
    );
  const value = env[name];
  if (value) return new Secret(value);
  throw new DockerTlsError({
    code: 'E_SECRET_ENV',
    where: name,
    message: 'the password for etcd should be in this environment variable, and it is not set',
    hints: [`export ${name}`],
  });
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new DockerTlsError({
      code: 'E_FILE',
      where: file,
      message: `it cannot be read: ${errnoOf(cause)}`,
      hints: [`ls -l ${shellQuote(file)}`],
      cause,
    });
  }
}

function readPrivate(file: string): Secret {
  try {
    const { mode } = statSync(file);
    if (HAS_MODES && (mode & 0o007) !== 0)
      throw unusable(file, 'every local user can read it', [`chmod 600 ${shellQuote(file)}`]);
    return new Secret(readFileSync(file));
  } catch (cause) {
    if (cause instanceof DockerTlsError) throw cause;
    throw unusable(file, `it cannot be read: ${errnoOf(cause)}`, [`ls -l ${shellQuote(file)}`]);
  }
}

function unusable(file: string, why: string, hints: string[]): DockerTlsError {
  return new DockerTlsError({ code: 'E_SECRET_FILE', where: file, message: `the credential for etcd: ${why}`, hints });
}
