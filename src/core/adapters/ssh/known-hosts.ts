/** Known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): parsing of all its forms, the verdict on a key, and adding a line. */

import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DockerTlsError } from '../../../errors/errors.ts';
import { fingerprintOf, wireString } from '../../domain/pki/ssh-wire.ts';
import { shellQuote } from '../../domain/quote.ts';
import type { HostKey, SshOptions } from '../../runtime.ts';
import { readBytesIfThere } from './read-once.ts';

export type KnownHost = {
  readonly marker?: 'revoked' | 'cert-authority';
  /** The first field as written: patterns with commas, or one hashed name. */
  readonly names: string;
  readonly type: string;
  readonly key: Buffer;
  readonly file: string;
  readonly line: number;
};

/** The lines of a known_hosts file. Like OpenSSH, it skips comments, empty and damaged lines. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((raw, index): KnownHost[] => {
    const words = raw.trim().split(/[ \t]+/);
    if (raw.trim().startsWith('#')) return [];
    const mark = words[0]?.startsWith('@') ? words.shift() : undefined;
    if (mark !== undefined && mark !== '@revoked' && mark !== '@cert-authority') return [];
    const [names, type, base64] = words;
    if (names === undefined || type === undefined || base64 === undefined) return [];
    const key = Buffer.from(base64, 'base64');
    // The blob names its own type: a line with two different types is damaged.
    if (keyType(key) !== type) return [];
    const marker = mark === undefined ? undefined : mark === '@revoked' ? 'revoked' : 'cert-authority';
    return [{ marker, names, type, key, file, line: index + 1 }];
  });
}

/** The type in a public key blob (RFC 4253, 6.6), or an empty string for anything else. */
export function keyType(blob: Buffer): string {
  if (blob.length < 4) return '';
  const length = blob.readUInt32BE(0);
  return length > 64 || blob.length < 4 + length ? '' : blob.toString('latin1', 4, 4 + length);
}

/** Number of fields after the type in a host's public key (RFC 4253, 5656, 8709). */
const FIELDS: readonly (readonly [type: RegExp, fields: number])[] = [
  [/^ssh-ed25519-cert-/, 1],
  [/^(ssh-rsa|ecdsa-sha2-\w+)-cert-/, 2],
];

/** A certificate's plain key (PROTOCOL.certkeys), whose fingerprint ssh prints; other blobs are keys already. */
export function plainKey(blob: Buffer): Buffer {
  const type = keyType(blob);
  const fields = FIELDS.find(([pattern]) => pattern.test(type))?.[1];
  if (fields === undefined) return blob;
  // A truncated key is not a certificate.
  const next = (at: number): number => (at + 4 > blob.length ? at : at + 4 + blob.readUInt32BE(at));
  // A nonce precedes the key.
  const begin = next(next(0));
  let end = begin;
  for (let field = 0; field < fields; field += 1) end = next(end);
  if (end > blob.length) return blob;
  return Buffer.concat([wireString(type.replace(/-cert-.*/, '')), blob.subarray(begin, end)]);
}

export function hostKeyOf(blob: Buffer): HostKey {
  const key = plainKey(blob);
  return { type: keyType(key), base64: key.toString('base64'), fingerprint: fingerprintOf(key) };
}

/** The key named by `--host-key` or a record, as a fingerprint or whole; undefined for a policy. */
export function pinOf(hostKey: string | undefined): (Partial<HostKey> & Pick<HostKey, 'fingerprint'>) | undefined {
  if (hostKey?.startsWith('SHA256:')) return { fingerprint: hostKey.replace(/=+$/, '') };
  const base64 = hostKey?.split(' ')[1];
  return base64 === undefined ? undefined : hostKeyOf(Buffer.from(base64, 'base64'));
}

/** A host's name in known_hosts: lower case, with brackets and the port unless that is 22. */
export function knownHostsName(hostName: string, port: number): string {
  const name = hostName.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** True if the first field of a line matches `name`. */
export function namesMatch(names: string, name: string): boolean {
  if (names.startsWith('|')) return hashedMatch(names, name);
  let matched = false;
  for (const pattern of names.split(',')) {
    const negated = pattern.startsWith('!');
    if (!wildcard(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

/** `|1|salt|hash`: HMAC-SHA1 of the name under the salt, both in base64. */
function hashedMatch(field: string, name: string): boolean {
  const [, version, salt, hash] = field.split('|');
  if (version !== '1' || !salt || !hash) return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest().equals(Buffer.from(hash, 'base64'));
}

/** `*` and `?` over the whole name, ignoring case; backtracks over the last star only, so its running time stays bounded. */
function wildcard(pattern: string, name: string): boolean {
  const wanted = pattern.toLowerCase();
  let at = 0;
  let star = -1;
  let mark = 0;
  for (let index = 0; index < name.length; ) {
    if (wanted[at] === '*') {
      star = at;
      mark = index;
      at += 1;
    } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === name[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      mark += 1;
      index = mark;
    } else return false;
  }
  while (wanted[at] === '*') at += 1;
  return at === wanted.length;
}

const found = new WeakMap<readonly KnownHost[], Map<string, readonly KnownHost[]>>();

/** The lines about `name`, cached: each host asks several times, and comparing with a thousand hashed names takes milliseconds. */
function linesAbout(lines: readonly KnownHost[], name: string): readonly KnownHost[] {
  const known = found.get(lines) ?? new Map<string, readonly KnownHost[]>();
  found.set(lines, known);
  const about = known.get(name) ?? lines.filter((line) => namesMatch(line.names, name));
  known.set(name, about);
  return about;
}

type HostKeyVerdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'changed'; readonly known: KnownHost }
  | { readonly kind: 'revoked'; readonly known: KnownHost };

/**
 * The verdict of the lines on a key of `name`. A host known only by keys of other types counts as changed: a man in the middle could
 * otherwise offer a new type. `bareName` (for a port other than 22) may confirm a key but never reject one, because another server may
 * answer on port 22.
 */
export function judgeHostKey(
  lines: readonly KnownHost[],
  name: string,
  blob: Buffer,
  bareName?: string,
): HostKeyVerdict {
  const about = linesAbout(lines, name);
  const bare = bareName === undefined ? [] : linesAbout(lines, bareName);
  const revoked = [...about, ...bare].find((line) => line.marker === 'revoked' && line.key.equals(blob));
  if (revoked !== undefined) return { kind: 'revoked', known: revoked };
  const plain = about.filter((line) => line.marker === undefined);
  if (plain.some((line) => line.key.equals(blob))) return { kind: 'known' };
  const type = keyType(blob);
  const other = plain.find((line) => line.type === type) ?? plain[0];
  if (other !== undefined) return { kind: 'changed', known: other };
  if (bare.some((line) => line.marker === undefined && line.key.equals(blob))) return { kind: 'known' };
  return { kind: 'unknown' };
}

/**
 * The key types to request first: of the run's first connection, of a pinned key, then those known for `names` in line order. If a key is
 * pinned, only its own known type counts. Without one, the pin is most likely the key that ssh shows first, and not a known one.
 */
export function wantedTypes(
  { hostKey, firstKey }: Pick<SshOptions, 'hostKey' | 'firstKey'>,
  lines: readonly KnownHost[],
  names: readonly string[],
): string[] {
  const pinned = pinOf(hostKey);
  const about = new Set(names.flatMap((name) => linesAbout(lines, name)));
  const types = lines
    .filter((line) => line.marker === undefined && about.has(line))
    .filter((line) => pinned === undefined || fingerprintOf(line.key) === pinned.fingerprint)
    .map((line) => line.type);
  return [...new Set([firstKey?.type, pinned?.type, ...types].filter((type) => type !== undefined))];
}

/** The line that trusts a certificate authority for one of the names: the host may show a certificate, and only ssh can check it. */
export function authorityFor(lines: readonly KnownHost[], names: readonly string[]): KnownHost | undefined {
  return lines.find((line) => line.marker === 'cert-authority' && names.some((name) => namesMatch(line.names, name)));
}

/** By their bytes: an unchanged file is not parsed again (files.ts). */
const parsed = new WeakMap<Buffer, readonly KnownHost[]>();
/** The last result; the same files with the same lines are the same array. */
let last: { readonly parts: readonly (readonly KnownHost[])[]; readonly lines: readonly KnownHost[] } | undefined;

/** All lines of the existing files; callers must not modify them. Errors: E_SSH_KNOWN_HOSTS_FILE (exit 2) for an unreadable file. */
export async function readKnownHosts(files: readonly string[]): Promise<readonly KnownHost[]> {
  const parts: (readonly KnownHost[])[] = [];
  for (const file of files) {
    try {
      const bytes = await readBytesIfThere(file);
      if (bytes === undefined) continue;
      const lines = parsed.get(bytes) ?? parseKnownHosts(bytes.toString('utf8'), file);
      parsed.set(bytes, lines);
      parts.push(lines);
    } catch (error) {
      throw fileError(file, 'cannot be read', error);
    }
  }
  const same = last?.parts.length === parts.length && parts.every((part, index) => part === last?.parts[index]);
  if (!same || last === undefined) last = { parts, lines: parts.flat() };
  return last.lines;
}

/** One line for known_hosts; the name is hashed if the ssh config says so (HashKnownHosts). */
export function renderKnownHost(name: string, blob: Buffer, hashed: boolean, salt: Buffer = randomBytes(20)): string {
  const field = hashed
    ? `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
    : name;
  return `${field} ${keyType(blob)} ${blob.toString('base64')}`;
}

let writing: Promise<void> = Promise.resolve();

/**
 * Appends a key to the file, created with mode 0600 in a directory 0700. One appending write keeps the other bytes, the inode and a link to
 * the file. Neither a parallel connection nor a running ssh (which takes no lock) loses a line.
 */
export function addKnownHost(file: string, name: string, blob: Buffer, hashed: boolean): Promise<void> {
  writing = writing.catch(() => {}).then(() => append(file, name, blob, hashed));
  return writing;
}

async function append(file: string, name: string, blob: Buffer, hashed: boolean): Promise<void> {
  try {
    const present = (await readBytesIfThere(file))?.toString('utf8') ?? '';
    if (judgeHostKey(parseKnownHosts(present, file), name, blob).kind === 'known') return;
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(file, 'a', 0o600);
    try {
      const gap = present === '' || present.endsWith('\n') ? '' : '\n';
      await handle.write(`${gap}${renderKnownHost(name, blob, hashed)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(file, 'cannot be written', error);
  }
}

function fileError(file: string, what: string, cause: unknown): DockerTlsError {
  const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new DockerTlsError('E_SSH_KNOWN_HOSTS_FILE', `${file} ${what} (${reason})`, {
    hints: [`ls -l ${shellQuote(file)}`, '--host-key SHA256:… compares with a fingerprint and writes nothing'],
    cause,
  });
}
