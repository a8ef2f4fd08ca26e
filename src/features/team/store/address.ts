/** Addresses of shared stores: engine, location, and the pinned signers. */

import { keepFromChildren } from '../../../core/environment.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { type EtcdAddress, parseEtcdAddress } from './etcd-address.ts';

export type GitAddress = {
  /** As given. */
  readonly url: string;
  readonly kind: 'git';
  /** Without `git+` and the parameters of docker-tls. */
  readonly remote: string;
  readonly branch: string;
  readonly pinned?: string;
};

export type StoreAddress = GitAddress | EtcdAddress;

const BRANCH = /^[A-Za-z0-9][\w.-]*(?:\/[\w-][\w.-]*)*$/;

/**
 * Parses `git+ssh://…`, `git+https://…` or `git+file:///…` with `?branch=NAME`, and `etcd://…` (etcd-address.ts), each with
 * `key=FINGERPRINT`. Fails with E_STORE_URL (exit 2).
 */
export function parseStoreAddress(text: string): StoreAddress {
  if (!/^(?:git\+(?:ssh|https|file)|etcd):\/\//.test(text) || /[\s\p{Cc}\\]/u.test(text)) {
    throw wrong(text, 'it has to begin with git+ssh://, git+https://, git+file:/// or etcd://');
  }
  const address = text.startsWith('etcd:') ? parseEtcdAddress(text, wrong) : parseGitAddress(text);
  if (address.pinned !== undefined && !/^[0-9a-f]{32}$/.test(address.pinned))
    throw wrong(text, 'key is 32 digits, as docker-tls operator list shows them');
  return address;
}

/**
 * The address at `url`. Removes a password that it names from the environment before anything else runs, because no child process needs it.
 */
export function storeAddress(url: string): StoreAddress {
  const address = parseStoreAddress(url);
  if (address.kind === 'etcd' && address.password?.startsWith('env:')) keepFromChildren(address.password.slice(4));
  return address;
}

/** True if two addresses refer to one store: cluster members may differ, and each machine has its own paths of credentials. */
export function sameStore(a: string, b: string): boolean {
  if (a === b) return true;
  let one: StoreAddress;
  let other: StoreAddress;
  try {
    [one, other] = [parseStoreAddress(a), parseStoreAddress(b)];
  } catch {
    // An address from another version of docker-tls.
    return false;
  }
  if (one.kind === 'git' && other.kind === 'git') return one.remote === other.remote && one.branch === other.branch;
  if (one.kind !== 'etcd' || other.kind !== 'etcd') return false;
  return one.prefix === other.prefix && one.endpoints.some((endpoint) => other.endpoints.includes(endpoint));
}

function parseGitAddress(text: string): GitAddress {
  let parsed: URL;
  try {
    parsed = new URL(text);
  } catch {
    throw wrong(text, 'it is not a URL');
  }
  // An https user name is often a token.
  if (parsed.password !== '' || (parsed.protocol === 'git+https:' && parsed.username !== '')) {
    const hints = ['git credential approve', 'or a credential helper: git help credentials'];
    // Never the text itself: it contains the secret.
    throw wrong(
      'this',
      'a password or token in it would be seen by every local user; git asks its credential helpers for it',
      hints,
    );
  }
  if (
    parsed.protocol === 'git+file:' ? parsed.host !== '' : parsed.hostname === '' || parsed.hostname.startsWith('-')
  ) {
    throw wrong(
      text,
      parsed.protocol === 'git+file:' ? 'a path has three slashes: git+file:///PATH' : 'it names no host',
    );
  }
  if (parsed.pathname === '' || parsed.pathname === '/') throw wrong(text, 'it names no repository');
  if (text.includes('#')) throw wrong(text, 'a branch is named by ?branch=NAME, and not after #');
  const { branch = 'docker-tls', key, ...others } = Object.fromEntries(parsed.searchParams);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw wrong(text, `"${unknown}" is not a setting of a store: branch, key`);
  if (!BRANCH.test(branch) || branch.includes('..') || branch.endsWith('.lock'))
    throw wrong(text, `"${branch}" is not a branch`);
  const remote = text.slice('git+'.length).replace(/[?#].*$/s, '');
  return { url: text, kind: 'git', remote, branch, pinned: key };
}

function wrong(text: string, why: string, hints: readonly string[] = []): DockerTlsError {
  // Hide a password in place of its reference.
  const shown = text.replace(/([?&]password=)(?!file:|env:).*/s, '$1…');
  return new DockerTlsError('E_STORE_URL', `${shown} is not the address of a store: ${why}`, {
    hints: [
      ...hints,
      '--store git+ssh://git@HOST/PATH.git',
      '--store git+file:///PATH/TO/REPOSITORY.git',
      '--store "etcd://HOST:2379/PREFIX?ca=FILE&cert=FILE&cert-key=FILE"',
    ],
  });
}
