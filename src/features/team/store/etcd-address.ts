/** Addresses of stores in etcd: endpoints, key prefix, and paths of credentials; never the credentials. */

import { isAbsolute } from 'node:path';
import type { DockerTlsError } from '../../../errors/errors.ts';
import { checkSecretReference } from '../../../formats/secret-reference.ts';

export type EtcdAddress = {
  /** As given. */
  readonly url: string;
  readonly kind: 'etcd';
  /** `host:port` each. */
  readonly endpoints: readonly string[];
  /** Prefix of every key, without slashes around it. */
  readonly prefix: string;
  /** False only on this machine, for instance behind a tunnel. */
  readonly tls: boolean;
  /** File with the servers' CAs; absent: Node.js' defaults. */
  readonly ca?: string;
  /** Files of the client certificate. */
  readonly cert?: string;
  readonly certKey?: string;
  readonly user?: string;
  /** `file:PATH` or `env:NAME`. */
  readonly password?: string;
  readonly pinned?: string;
};

const PREFIX = /^[\w.@+-]+(?:\/[\w.@+-]+)*$/;
const ENDPOINT = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?::(\d{1,5}))?$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const SETTINGS = ['ca', 'cert', 'cert-key', 'user', 'password', 'tls', 'key'];

/** Parses `etcd://HOST:PORT[,HOST:PORT…]/PREFIX[?ca=FILE&cert=FILE&cert-key=FILE&user=NAME&password=file:PATH&tls=off&key=FINGERPRINT]`. */
export function parseEtcdAddress(
  text: string,
  wrong: (text: string, why: string, hints?: readonly string[]) => DockerTlsError,
): EtcdAddress {
  const [, authority = '', path = '', query = ''] = /^etcd:\/\/([^/?#]*)\/?([^?#]*)(?:\?([^#]*))?$/.exec(text) ?? [];
  // Never the text itself: it contains the secret.
  if (authority.includes('@'))
    throw wrong('this', 'a password in it would be seen by every local user', [
      '--store "etcd://HOST:2379/PREFIX?user=NAME&password=file:PATH"',
    ]);
  const endpoints = authority.split(',').map((each) => {
    const [, host, port = '2379'] = ENDPOINT.exec(each) ?? [];
    if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
      throw wrong(text, `"${each}" is not HOST:PORT`);
    return `${host}:${port}`;
  });
  const prefix = path.replace(/\/+$/, '');
  if (!PREFIX.test(prefix)) throw wrong(text, 'it names no prefix of keys, such as /docker-tls');
  const { key, tls, user, password, ca, cert, ...rest } = Object.fromEntries(new URLSearchParams(query));
  const { 'cert-key': certKey, ...others } = rest;
  if (password !== undefined) checkSecretReference(password);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw wrong(text, `"${unknown}" is not a setting of a store: ${SETTINGS.join(', ')}`);
  if (password === 'prompt' || (user === undefined) !== (password === undefined))
    throw wrong(text, 'user and password go together, and password is file:PATH or env:NAME');
  if ((cert === undefined) !== (certKey === undefined)) throw wrong(text, 'cert and cert-key go together');
  const files = { ca, cert, certKey, password: password?.startsWith('file:') ? password.slice(5) : undefined };
  for (const file of Object.values(files))
    if (file !== undefined && !isAbsolute(file)) throw wrong(text, `${file} has to be an absolute path`);
  if (tls !== undefined && tls !== 'off') throw wrong(text, 'tls is off, or not given');
  if (tls === 'off' && endpoints.some((each) => !LOOPBACK.test(each.replace(/:\d+$/, ''))))
    throw wrong(text, 'only servers on this computer can be used without TLS');
  if (tls === 'off' && (ca ?? cert) !== undefined) throw wrong(text, 'ca and cert are for TLS, which is off');
  const given = { ca, cert, certKey, user, password, pinned: key };
  return {
    ...{ url: text, kind: 'etcd', endpoints, prefix, tls: tls !== 'off' },
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}
