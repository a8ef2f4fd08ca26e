/** Private key files and the agent: usable keys in OpenSSH's order, each unlocked at most once per process. */

import { stat } from 'node:fs/promises';
import type { BaseAgent, ParsedKey } from 'ssh2';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { shellQuote } from '../../domain/quote.ts';
import type { Secret } from '../../domain/secret.ts';
import { whyNotRead } from '../../named-file.ts';
import type { SshOptions } from '../../runtime.ts';
import { TRANSPORTS } from '../../seams/transports.ts';
import type { Endpoint } from './endpoint.ts';
import { inTurn } from './questions.ts';
import { isThere, readBytesIfThere } from './read-once.ts';
import { needsOpenSsh } from './ssh-errors.ts';

/** A key that is offered by its public half; `unlock` loads the private half and asks for a passphrase if needed. */
export type KeySigner = {
  /** For messages: the file name or the agent's comment. */
  readonly label: string;
  readonly blob: Buffer;
  readonly publicKey: ParsedKey;
  sign(data: Buffer, hash: string | undefined): Promise<Buffer>;
};

export type FoundKeys = {
  readonly signers: readonly KeySigner[];
  /** Reasons for skipped keys, one line each, for the final error. */
  readonly passedOver: readonly string[];
};

type Ssh2 = typeof import('ssh2');

/**
 * The keys to offer, in OpenSSH's order: named files whose keys the agent holds, other keys of the agent (unless IdentitiesOnly), then the
 * files themselves. Errors: E_SSH_KEY_FILE (a file named with -i is missing or unreadable), E_SSH_TRANSPORT.
 */
export async function findKeys(ssh2: Ssh2, options: SshOptions, endpoint: Endpoint): Promise<FoundKeys> {
  if (!endpoint.publicKeys) return { signers: [], passedOver: [] };
  const passedOver: string[] = [];
  const files: KeySigner[] = [];
  const publicOnly = new Map<string, string>();
  for (const identity of endpoint.identities) {
    if (isThere(`${identity.file}-cert.pub`)) throw needsOpenSsh(options, `${identity.file} has a certificate`);
    const found = await fileSigner(ssh2, options, identity.file, identity.explicit);
    if (typeof found === 'string') passedOver.push(found);
    else if (Buffer.isBuffer(found)) publicOnly.set(idOf(found), identity.file);
    else if (found !== undefined) files.push(found);
  }
  const namedOnly = endpoint.identitiesOnly || (options.identities?.length ?? 0) > 0;
  let held: KeySigner[] = [];
  if (endpoint.agent !== undefined) {
    const limitMs = options.ask === undefined ? LISTS_MS : LISTS_FOR_PEOPLE_MS;
    const [usable, beyond] = await Promise.all([
      agentSigners(ssh2.createAgent(endpoint.agent), ssh2, limitMs).catch((error: Error) => {
        passedOver.push(`agent ${endpoint.agent}: ${printable(error.message, 200)}`);
        return [];
      }),
      namedOnly ? undefined : TRANSPORTS.all[0]?.agentKey(endpoint.agent),
    ]);
    if (beyond !== undefined) throw needsOpenSsh(options, `the agent holds a key of type ${beyond}`);
    held = usable;
  }
  const fileIds = new Set(files.map(({ blob }) => idOf(blob)));
  const isNamed = ({ blob }: KeySigner): boolean => fileIds.has(idOf(blob)) || publicOnly.has(idOf(blob));
  const fromAgent = held.filter(isNamed);
  const agentOnly = namedOnly ? [] : held.filter((signer) => !isNamed(signer));
  const inAgent = new Set(fromAgent.map(({ blob }) => idOf(blob)));
  const fromFiles = files.filter(({ blob }) => !inAgent.has(idOf(blob)));
  for (const [id, file] of publicOnly)
    if (!inAgent.has(id) && !fileIds.has(id))
      passedOver.push(`${file} is a public key: neither an agent nor a file next to it has its private key`);
  return { signers: [...fromAgent, ...agentOnly, ...fromFiles], passedOver };
}

function idOf(blob: Buffer): string {
  return blob.toString('base64');
}

/** Security keys and certificates, by type. */
export const OPENSSH_ALONE = /^sk-|-cert-v0/;

/** Time limit for an agent to list its keys. Some wait to be unlocked first. */
export const LISTS_MS = 5000;
const LISTS_FOR_PEOPLE_MS = 60_000;

async function agentSigners(agent: BaseAgent, ssh2: Ssh2, limitMs: number): Promise<KeySigner[]> {
  const keys = await new Promise<readonly ParsedKey[]>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
    agent.getIdentities((error, found) => {
      clearTimeout(late);
      if (error) reject(error);
      else resolve((found ?? []).flatMap((key) => asParsed(ssh2, key as ParsedKey | Buffer)));
    });
  });
  return keys.map((key) => ({
    label: `agent key ${printable(key.comment || key.type, 100)}`,
    blob: key.getPublicSSH(),
    publicKey: key,
    sign: (data, hash) =>
      new Promise((resolve, reject) => {
        agent.sign(key, data, { hash: hash as 'sha256' | undefined }, (error, signature) => {
          if (error || signature === undefined) reject(error ?? new Error('the agent gave no signature'));
          else resolve(signature);
        });
      }),
  }));
}

function asParsed(ssh2: Ssh2, key: ParsedKey | Buffer): ParsedKey[] {
  if (!Buffer.isBuffer(key)) return [key];
  const parsed = ssh2.utils.parseKey(key);
  return parsed instanceof Error ? [] : [parsed as ParsedKey].flat();
}

/** Cached by the bytes of the files (files.ts). */
const parsed = new WeakMap<Buffer, ParsedKey | ParsedKey[] | Error>();

/**
 * A key file as a Signer. A public key file as its blob, which selects a key of the agent. A message for users if unusable; undefined if
 * missing and not named with -i.
 */
async function fileSigner(
  ssh2: Ssh2,
  options: SshOptions,
  file: string,
  explicit: boolean,
): Promise<KeySigner | Buffer | string | undefined> {
  let text: Buffer | undefined;
  try {
    text = await readBytesIfThere(file);
  } catch (error) {
    if (explicit) throw keyFileError(file, `cannot be read (${whyNotRead(error)})`, error);
    return `${file}: cannot be read (${whyNotRead(error)})`;
  }
  if (text === undefined) {
    if (explicit) throw keyFileError(file, 'does not exist');
    return undefined;
  }
  const shown = publicHalf(text) ?? (await publicFile(file));
  const kind = (shown ?? text).toString('latin1', 0, 100).split(' ')[0] ?? '';
  if (OPENSSH_ALONE.test(kind)) throw needsOpenSsh(options, `${file} is of type ${printable(kind)}`);
  const unlocked = parsed.get(text) ?? ssh2.utils.parseKey(text);
  parsed.set(text, unlocked);
  if (!(unlocked instanceof Error)) {
    const key = [unlocked as ParsedKey].flat()[0];
    if (key === undefined) return `${file}: holds no key`;
    if (key.isPrivateKey()) return signerOf(file, key, () => Promise.resolve(key));
    return key.getPublicSSH();
  }
  if (!isEncrypted(text) || unusableCipher(text)) {
    throw needsOpenSsh(options, `it cannot read the key ${file} (${printable(unlocked.message, 200)})`);
  }
  const open = (): Promise<ParsedKey> => unlock(ssh2, options, file, text);
  const publicKey = shown === undefined ? undefined : ssh2.utils.parseKey(shown);
  // An old PEM file without its .pub shows nothing about the key before it is unlocked.
  const known =
    publicKey === undefined || publicKey instanceof Error ? await open() : [publicKey as ParsedKey].flat()[0];
  return known === undefined ? `${file}: holds no key` : signerOf(file, known, open);
}

function signerOf(file: string, publicKey: ParsedKey, open: () => Promise<ParsedKey>): KeySigner {
  return {
    label: file,
    blob: publicKey.getPublicSSH(),
    publicKey,
    sign: async (data, hash) => {
      const key = await open();
      const signature = key.sign(data, hash as 'sha256' | undefined) as Buffer | Error;
      if (signature instanceof Error) throw signature;
      return signature;
    },
  };
}

/** Unlocked keys by file and content, so that each is asked for once for all hosts; a failure may be retried. */
const unlockedKeys = new Map<string, Promise<ParsedKey>>();

function unlock(ssh2: Ssh2, options: SshOptions, file: string, text: Buffer): Promise<ParsedKey> {
  const id = `${file}\0${text.toString('latin1')}`;
  const known = unlockedKeys.get(id);
  if (known !== undefined) return known;
  const fresh = askAndParse(ssh2, options, file, text);
  unlockedKeys.set(id, fresh);
  fresh.catch(() => unlockedKeys.delete(id));
  return fresh;
}

const PASSPHRASE_TRIES = 3;

async function askAndParse(ssh2: Ssh2, options: SshOptions, file: string, text: Buffer): Promise<ParsedKey> {
  const { ask } = options;
  if (ask === undefined) throw passphraseError(file, 'is encrypted and there is no terminal to ask for its passphrase');
  for (let tries = 0; tries < PASSPHRASE_TRIES; tries += 1) {
    const passphrase: Secret = await inTurn(() => ask.passphrase({ file, again: tries > 0 }));
    const key = ssh2.utils.parseKey(text, passphrase.reveal());
    if (!(key instanceof Error)) {
      const [first] = [key as ParsedKey].flat();
      if (first !== undefined) return first;
    }
  }
  throw passphraseError(file, 'was not unlocked: wrong passphrase');
}

/** The public half stored in clear in an OpenSSH private key file (PROTOCOL.key), as `type base64`. */
function publicHalf(text: Buffer): Buffer | undefined {
  const blob = opensshBlob(text);
  if (blob === undefined) return undefined;
  try {
    let at = 15;
    for (let field = 0; field < 3; field += 1) at += 4 + blob.readUInt32BE(at);
    at += 4;
    const length = blob.readUInt32BE(at);
    const key = blob.subarray(at + 4, at + 4 + length);
    const type = key.toString('latin1', 4, 4 + key.readUInt32BE(0));
    return Buffer.from(`${type} ${key.toString('base64')}`, 'latin1');
  } catch {
    return undefined;
  }
}

function opensshBlob(text: Buffer): Buffer | undefined {
  const match = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text.toString('latin1'));
  const blob = match?.[1] === undefined ? undefined : Buffer.from(match[1], 'base64');
  return blob?.toString('latin1', 0, 15) === 'openssh-key-v1\0' ? blob : undefined;
}

function opensshCipher(text: Buffer): string | undefined {
  const blob = opensshBlob(text);
  if (blob === undefined || blob.length < 19) return undefined;
  return blob.toString('latin1', 19, 19 + Math.min(64, blob.readUInt32BE(15)));
}

export function isEncrypted(text: Buffer): boolean {
  const cipher = opensshCipher(text);
  if (cipher !== undefined) return cipher !== 'none';
  return /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text.toString('latin1'));
}

/** ssh2 decrypts OpenSSH's files with AES only, and no PKCS#8. */
function unusableCipher(text: Buffer): boolean {
  const cipher = opensshCipher(text);
  if (cipher !== undefined) return !/^aes(128|192|256)-(cbc|ctr|gcm@openssh\.com)$/.test(cipher);
  return text.toString('latin1').includes('BEGIN ENCRYPTED PRIVATE KEY');
}

async function publicFile(file: string): Promise<Buffer | undefined> {
  try {
    if ((await stat(`${file}.pub`)).size > 65_536) return undefined;
    return await readBytesIfThere(`${file}.pub`);
  } catch {
    return undefined;
  }
}

function keyFileError(file: string, what: string, cause?: unknown): DockerTlsError {
  return new DockerTlsError('E_SSH_KEY_FILE', `the key file ${file} ${what}`, {
    hints: [`ls -l ${shellQuote(file)}`],
    cause,
  });
}

function passphraseError(file: string, what: string): DockerTlsError {
  return new DockerTlsError('E_SSH_KEY_PASSPHRASE', `the key ${file} ${what}`, { hints: [`ssh-add ${file}`] });
}
