/** Keys that sign reports: SSH keys, and identities of age, as operators of a shared store have them. */

import { createPrivateKey } from 'node:crypto';
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fingerprintOf } from '../../../core/domain/pki/ssh-wire.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { readFileOrPipe, whyNotRead } from '../../../core/named-file.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { renderSignature, signedBytes } from '../../../formats/sshsig.ts';
import { armored, signDetached } from '../domain/detached-signature.ts';
import { NAMESPACE } from '../domain/signatures.ts';

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
  const bytes = await readFileOrPipe(file).catch((error) => {
    throw unusable(file, `it cannot be read: ${whyNotRead(error)}`, [`ls -l ${shellQuote(file)}`]);
  });
  const text = bytes.toString('latin1');
  const identity = /^AGE-SECRET-KEY-.*$/m.exec(text)?.[0];
  const stats = await stat(file);
  const isSecret = identity !== undefined || / PRIVATE KEY-----/.test(text);
  if (process.platform !== 'win32' && isSecret && isOpen(stats))
    throw unusable(file, 'others than its owner can read it', [`chmod 600 ${shellQuote(file)}`]);
  if (identity !== undefined) return ageKey(file, new Secret(identity.trim()));
  const parsed = await parse(file, bytes, ask, stats);
  const publicKey = parsed.getPublicSSH();
  if (!parsed.isPrivateKey()) throw unusable(file, 'it is a public key', hintsFor(file, stats));
  const key = createPrivateKey(parsed.getPrivatePEM());
  if (signDetached(Buffer.alloc(0), NAMESPACE, key, publicKey) === undefined)
    throw unusable(file, 'its type is neither ed25519, ecdsa nor rsa', hintsFor(file, stats));
  return {
    fingerprint: fingerprintOf(publicKey),
    sign: (message) => armored(signDetached(message, NAMESPACE, key, publicKey) ?? Buffer.alloc(0)),
  };
}

/** An identity of age signs as the Ed25519 key that goes with it, as it signs commits of a shared store. */
async function ageKey(file: string, identity: Secret): Promise<SigningKey> {
  const { ed25519OfIdentity, signX25519 } = await import('../../../formats/xeddsa.ts');
  const publicKey = ed25519OfIdentity(identity.revealText());
  if (publicKey === undefined)
    throw unusable(file, 'this identity of age is not a whole one of type X25519', [
      'age-keygen -o KEY',
      'ssh-keygen -t ed25519 -f KEY',
    ]);
  return {
    fingerprint: fingerprintOf(publicKey),
    sign(message) {
      const raw = signX25519(identity.revealText(), signedBytes(message, NAMESPACE));
      return armored(renderSignature(publicKey, NAMESPACE, 'ssh-ed25519', raw));
    },
  };
}

/** A pipe, as of a shell's <(…), has no reader but this one. */
function isOpen(stats: Stats): boolean {
  return stats.isFile() && (stats.mode & 0o077) !== 0;
}

async function parse(file: string, text: Buffer, ask: Ask, stats: Stats) {
  const { default: ssh2 } = await import('ssh2');
  const plain = ssh2.utils.parseKey(text);
  if (!(plain instanceof Error)) return plain;
  if (!/passphrase/i.test(plain.message)) throw unusable(file, 'it is not an SSH key', hintsFor(file, stats));
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

/** ssh-keygen would wait forever for the writer of a pipe. */
function hintsFor(file: string, stats: Stats): readonly string[] {
  return [...(stats.isFile() ? [`ssh-keygen -l -f ${shellQuote(file)}`] : []), 'ssh-keygen -t ed25519 -f KEY'];
}

function unusable(file: string, why: string, hints: readonly string[]): DockerTlsError {
  return new DockerTlsError('E_AUDIT_SIGNER', `this key cannot sign a report: ${why}`, { where: file, hints });
}
