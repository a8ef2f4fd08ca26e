/**
 * Signing keys of an SSH agent (draft-ietf-sshm-ssh-agent), which may be in no file of this computer: hardware keys, smart cards, a
 * forwarded agent. The agent signs; it cannot decrypt.
 */

import { once } from 'node:events';
import { createConnection } from 'node:net';
import { wireString } from '../../../core/domain/pki/ssh-wire.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { readSigned, readString, signedBytes } from '../../../formats/sshsig.ts';
import { algorithmOf, type SigningKey, signatureText, signerOf, signingKeyIn } from './signatures.ts';

const REQUEST_IDENTITIES = 11;
const IDENTITIES = 12;
const SIGN_REQUEST = 13;
const SIGNATURE = 14;
/** SHA-512 for an RSA key. */
const RSA_SHA2_512 = 4;
const LIST_MS = 5_000;
/** Time to touch a key, or to type its PIN: a host waits 90 s for the commit, and then rolls back. */
const SIGN_MS = 30_000;
/** An agent holds a few keys. */
const MOST_BYTES = 256 * 1024;

export type AgentOptions = {
  /** SSH_AUTH_SOCK. */
  readonly socket: string | undefined;
  note(text: string): void;
  readonly signal?: AbortSignal | undefined;
};

/** The keys that the agent would sign with; none without an agent. */
export async function agentKeys({ socket, note, signal }: AgentOptions): Promise<SigningKey[]> {
  if (!socket) return [];
  const answer = await ask(socket, Buffer.of(REQUEST_IDENTITIES), LIST_MS, signal).catch(() => undefined);
  const seconds = SIGN_MS / 1000;
  signal?.throwIfAborted();
  if (answer?.[0] !== IDENTITIES || answer.length < 5) return [];
  const keys: SigningKey[] = [];
  for (let at = 5, left = answer.readUInt32BE(1); left > 0 && at < answer.length; left--) {
    const blob = readString(answer, at);
    at += 4 + blob.length;
    at += 4 + readString(answer, at).length;
    const key = signingKeyIn(`${readString(blob, 0).toString('latin1')} ${blob.toString('base64')}`);
    if (key !== undefined)
      keys.push({
        key,
        async sign(purpose, text) {
          if (key.startsWith('sk-')) note(`touch the security key within ${seconds} s: it signs ${wordsFor(purpose)}`);
          const flags = Buffer.alloc(4);
          flags.writeUInt32BE(key.startsWith('ssh-rsa ') ? RSA_SHA2_512 : 0);
          const data = signedBytes(text, purpose);
          const request = Buffer.concat([Buffer.of(SIGN_REQUEST), ...[blob, data].map(wireString), flags]);
          const signed = await ask(socket, request, SIGN_MS, signal).catch((cause) => {
            signal?.throwIfAborted();
            throw refused(key, purpose, `it did not answer within ${seconds} s`, cause);
          });
          const signature = signed[0] === SIGNATURE ? readSigned(readString(signed, 1)) : undefined;
          if (signature?.algorithm !== algorithmOf(key)) throw refused(key, purpose, 'it refused');
          const made = signatureText(key, purpose, signature.raw, signature.trailer);
          if (signerOf(purpose, text, made, [key]) === undefined)
            throw refused(key, purpose, 'its signature is not valid');
          return made;
        },
      });
  }
  return keys;
}

function wordsFor(purpose: string): string {
  return /^docker-tls-(?:manifest|signers)$/.test(purpose) ? 'the change of the store' : 'a file';
}

function refused(key: string, purpose: string, why: string, cause?: unknown): DockerTlsError {
  return new DockerTlsError('E_STORE_WRITE', `the SSH agent did not sign ${wordsFor(purpose)}: ${why}`, {
    where: key,
    hints: ['ssh-add -l', 'ssh-add -T FILE.pub'],
    cause,
  });
}

/** One request, and its answer: both begin with their length. */
async function ask(socket: string, request: Buffer, limitMs: number, stop?: AbortSignal): Promise<Buffer> {
  const limit = AbortSignal.timeout(limitMs);
  const signal = stop === undefined ? limit : AbortSignal.any([stop, limit]);
  const connection = createConnection({ path: socket });
  try {
    await once(connection, 'connect', { signal });
    connection.write(wireString(request));
    let received = Buffer.alloc(0);
    const end = () => connection.destroy(new Error('no answer'));
    signal.addEventListener('abort', end);
    try {
      for await (const chunk of connection) {
        received = Buffer.concat([received, chunk as Buffer]);
        const length = received.length < 4 ? MOST_BYTES : received.readUInt32BE(0);
        if (length > MOST_BYTES) throw new Error('the answer is too long');
        if (received.length >= 4 + length) return received.subarray(4, 4 + length);
      }
    } finally {
      signal.removeEventListener('abort', end);
    }
    throw new Error('the agent closed the connection');
  } finally {
    connection.destroy();
  }
}
