/** Owns the addresses of shared stores: which engine, where, and what a colleague has said about its signing key. */

import { DockerTlsError } from '../../../errors/errors.ts';

export type StoreAddress = {
  /** As given. */
  readonly url: string;
  readonly kind: 'git';
  /** Without `git+` and without what is ours. */
  readonly remote: string;
  readonly branch: string;
  readonly pinned?: string;
};

const BRANCH = /^[A-Za-z0-9][\w.-]*(?:\/[\w-][\w.-]*)*$/;

/** Reads `git+ssh://…`, `git+https://…`, `git+file:///…`, each with `?branch=NAME&key=FINGERPRINT`. Fails with E_STORE_URL (exit 2). */
export function parseStoreAddress(text: string): StoreAddress {
  if (!/^git\+(?:ssh|https|file):\/\//.test(text) || /[\s\p{Cc}\\]/u.test(text)) {
    throw wrong(text, 'it has to begin with git+ssh://, git+https:// or git+file:///');
  }
  let parsed: URL;
  try {
    parsed = new URL(text);
  } catch {
    throw wrong(text, 'it is not a URL');
  }
  // A user name of https is a token as often as not.
  if (parsed.password !== '' || (parsed.protocol === 'git+https:' && parsed.username !== '')) {
    const hints = ['git credential approve', 'or a credential helper: git help credentials'];
    // Not the text itself: it holds the secret.
    throw wrong(
      'the address',
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
  const { branch = 'docker-tls', key, ...others } = Object.fromEntries(parsed.searchParams);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw wrong(text, `"${unknown}" is not a setting of a store: branch, key`);
  if (!BRANCH.test(branch) || branch.includes('..') || branch.endsWith('.lock'))
    throw wrong(text, `"${branch}" is not a branch`);
  if (key !== undefined && !/^[0-9a-f]{32}$/.test(key))
    throw wrong(text, 'key is 32 digits, as docker-tls operator list shows them');
  const remote = text.slice('git+'.length).replace(/[?#].*$/s, '');
  return { url: text, kind: 'git', remote, branch, ...(key === undefined ? {} : { pinned: key }) };
}

function wrong(text: string, why: string, hints: readonly string[] = []): DockerTlsError {
  return new DockerTlsError({
    code: 'E_STORE_URL',
    message: `${text} is not the address of a store: ${why}`,
    hints: [...hints, '--store git+ssh://git@HOST/PATH.git', '--store git+file:///PATH/TO/REPOSITORY.git'],
  });
}
