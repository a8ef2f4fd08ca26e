/** Encryption for several recipients with age (https://age-encryption.org/v1): recipients and identities. */

import { Decrypter, Encrypter, identityToRecipient } from 'age-encryption';
import { DockerTlsError } from '../../../errors/errors.ts';
import { type IdentityFile, noRecipient, sshIdentity, sshRecipient } from './ssh-keys.ts';

/** An OpenSSH public key of any type. */
const SSH_KEY = /^(?:sk-)?(?:ssh|ecdsa)-/;

/** `age1…`, or an SSH public key (ssh-ed25519, ssh-rsa) without its comment. Fails with E_RECIPIENT (exit 2). */
export async function checkRecipient(text: string): Promise<string> {
  const recipient = text
    .trim()
    .split(/\s+/)
    .slice(0, SSH_KEY.test(text.trim()) ? 2 : 1)
    .join(' ');
  if (/^AGE-SECRET-KEY-/i.test(recipient))
    throw noRecipient('AGE-SECRET-KEY-…', 'it is a private key; its recipient: age-keygen -y FILE');
  try {
    await encryptFor([recipient], new Uint8Array());
  } catch (cause) {
    if (cause instanceof DockerTlsError) throw cause;
    throw noRecipient(recipient, 'it is not a recipient of age, an SSH public key, or a file with one');
  }
  return recipient;
}

/** Encrypts an age file for each of the recipients. */
export async function encryptFor(recipients: readonly string[], bytes: Uint8Array): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  for (const one of recipients) encrypter.addRecipient(SSH_KEY.test(one) ? await sshRecipient(one) : one);
  return encrypter.encrypt(bytes);
}

/** Content of an age file; undefined if none of the identities is a recipient. Fails like the passphrase prompt of an SSH key. */
export async function decryptWith(
  identities: readonly IdentityFile[],
  bytes: Uint8Array,
): Promise<Uint8Array | undefined> {
  for (const identity of identities) {
    const decrypter = new Decrypter();
    if (identity.kind === 'ssh') decrypter.addIdentity(await sshIdentity(identity));
    else for (const line of identity.lines) decrypter.addIdentity(line.revealText());
    try {
      return await decrypter.decrypt(bytes);
    } catch (error) {
      if (error instanceof DockerTlsError) throw error;
      // The library has no code for "no identity matched": every failure means that this identity does not open the file.
    }
  }
  return undefined;
}

/** The stanzas of an age file, in order: their types, and the tags of SSH keys (stanzaOf). */
export function stanzasIn(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes).toString('latin1');
  const header = text.slice(0, text.indexOf('\n--- '));
  return [...header.matchAll(/^-> (\S+)(?: (\S+))?/gm)]
    .map(([, type = '', first = '']) => (type.startsWith('ssh-') ? `${type} ${first}` : type))
    .sort();
}

/** Recipients of an identity's holder. */
export async function recipientsOf(identity: IdentityFile): Promise<string[]> {
  if (identity.kind === 'ssh') return [identity.recipient];
  return Promise.all(identity.lines.map((line) => identityToRecipient(line.revealText())));
}
