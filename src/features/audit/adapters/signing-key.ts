/** SSH keys that sign reports. */

import { createPrivateKey } from 'node:crypto';
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { Secret } from '../../../core/domain/secret.ts';
import { readFileOrPipe, whyNotRead } from '../../../core/named-file.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { fingerprintOf, signDetached } from '../domain/sshsig.ts';

/** An opened key. */
export type SigningKey = {
  /** `SHA256:…`. */
  readonly fingerprint: string;
  /** The detached signature, as a text. */
  sign(message: Buffer): string;
};

type Ask = ((question: { file: string; again?: boolean }) => Promise<Secret>) | undefined;

const TRIES = 3;

/** Opens a key; `ask` prompts for its passphrase. Fails with E_AUDIT_SIGNER (exit 2), E_SSH_KEY_PASSPHRASE. */
export async function openSigningKey(file: string, ask: Ask): Promise<SigningKey> {
  const text = await readFileOrPipe(file).catch((error) => {
    throw unusable(file, `it cannot be read: ${whyNotRead(error)}`);
  });
  if (/^(?:# created: |AGE-SECRET-KEY-)/m.test(text.toString('latin1')))
    throw unusable(file, 'an identity of age decrypts, and cannot sign');
  const stats = await stat(file);
  if (process.platform !== 'win32' && / PRIVATE KEY-----/.test(text.toString('latin1')) && isOpen(stats))
    throw unusable(file, 'others than its owner can read it', [`chmod 600 ${shellQuote(file)}`]);
  const parsed = await parse(file, text, ask);
  const publicKey = parsed.getPublicSSH();
  if (!parsed.isPrivateKey()) throw unusable(file, 'it is a public key');
  const key = createPrivateKey(parsed.getPrivatePEM());
  if (signDetached(Buffer.alloc(0), key, publicKey) === undefined)
    throw unusable(file, 'its type is neither ed25519, ecdsa nor rsa');
  return {
    fingerprint: fingerprintOf(publicKey),
    sign: (message) => signDetached(message, key, publicKey) ?? '',
  };
}

/** A pipe, as of a shell's <(…), has no reader but this one. */
function isOpen(stats: Stats): boolean {
  return stats.isFile() && (stats.mode & 0o077) !== 0;
}

async function parse(file: string, text: Buffer, ask: Ask) {
  const { default: ssh2 } = await import('ssh2');
  const plain = ssh2.utils.parseKey(text);
  if (!(plain instanceof Error)) return plain;
  if (!/passphrase/i.test(plain.message)) throw unusable(file, 'it is not an SSH key');
  if (ask === undefined) throw closed(file, 'has a passphrase, and there is no terminal to ask for it on');
  for (let tries = 0; tries < TRIES; tries += 1) {
    const opened = ssh2.utils.parseKey(text, (await ask({ file, again: tries > 0 })).reveal());
    if (!(opened instanceof Error)) return opened;
  }
  throw closed(file, 'was not opened: wrong passphrase');
}

function closed(file: string, what: string): DockerTlsError {
  const hints = ['ssh-keygen -t ed25519 -N "" -f KEY   # a key without a passphrase, for this alone'];
  return new DockerTlsError('E_SSH_KEY_PASSPHRASE', `the key ${file} ${what}`, { hints });
}

function unusable(
  file: string,
  why: string,
  hints: readonly string[] = [`ssh-keygen -l -f ${shellQuote(file)}`, 'ssh-keygen -t ed25519 -f KEY'],
): DockerTlsError {
  return new DockerTlsError('E_AUDIT_SIGNER', `this key cannot sign a report: ${why}`, { where: file, hints });
}
