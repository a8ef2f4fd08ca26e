/**
 * SSH keys as recipients and identities of age. https://github.com/C2SP/C2SP/blob/main/age.md has the native ones; these follow
 * filippo.io/age/agessh, so `age -d -i ~/.ssh/id_ed25519` opens the same files.
 */

import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  hkdfSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { type Identity, type Recipient, Stanza } from 'age-encryption';
import { wireString } from '../../../core/domain/pki/ssh-wire.ts';
import type { Secret } from '../../../core/domain/secret.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { publicKeyOf, readString } from '../../../formats/sshsig.ts';

/** A file with age identities, or an SSH private key. The key is opened (with a passphrase prompt) only if it is a recipient. */
export type IdentityFile =
  | { readonly kind: 'age'; readonly file: string; readonly lines: readonly Secret[] }
  | {
      readonly kind: 'ssh';
      readonly file: string;
      /** `ssh-ed25519 AAAA…` */
      readonly recipient: string;
      open(): Promise<KeyObject>;
    };

const ED25519_LABEL = 'age-encryption.org/v1/ssh-ed25519';
const RSA_LABEL = Buffer.from('age-encryption.org/v1/ssh-rsa');

/** Wraps for an SSH public key. Fails with E_RECIPIENT. */
export async function sshRecipient(text: string): Promise<Recipient> {
  const [type, blob] = parsePublic(text);
  if (type === 'ssh-rsa') {
    const key = publicKeyOf(blob);
    if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) throw noRecipient(text, 'this RSA key is too short');
    return {
      wrapFileKey: (fileKey) => [
        new Stanza(
          ['ssh-rsa', tagOf(blob)],
          publicEncrypt(
            { key, oaepHash: 'sha256', oaepLabel: RSA_LABEL, padding: constants.RSA_PKCS1_OAEP_PADDING },
            fileKey,
          ),
        ),
      ],
    };
  }
  const recipient = ed25519.utils.toMontgomery(ed25519Public(blob, text));
  return {
    wrapFileKey(fileKey) {
      const ephemeral = randomBytes(32);
      const share = x25519.getPublicKey(ephemeral);
      const shared = x25519.scalarMult(tweakOf(blob), x25519.scalarMult(ephemeral, recipient));
      return [
        new Stanza(['ssh-ed25519', tagOf(blob), base64(share)], sealed(wrapKey(shared, share, recipient), fileKey)),
      ];
    },
  };
}

const AGE_STANZAS: Readonly<Record<string, string>> = {
  age1: 'X25519',
  age1pq1: 'mlkem768x25519',
  age1tag1: 'p256tag',
  age1tagpq1: 'mlkem768p256tag',
};

/** The stanza of a recipient: its type and, for an SSH key, its tag. Nothing in others tells whose they are. */
export function stanzaOf(recipient: string): string {
  const prefix = /^age1(?:pq1|tag1|tagpq1)?/.exec(recipient)?.[0];
  if (prefix !== undefined) return AGE_STANZAS[prefix] as string;
  const [type, blob] = parsePublic(recipient);
  return `${type} ${tagOf(blob)}`;
}

/** Unwraps with an SSH private key, opened at the first stanza for it. */
export async function sshIdentity({ recipient, open }: Extract<IdentityFile, { kind: 'ssh' }>): Promise<Identity> {
  const [type, blob] = parsePublic(recipient);
  const mine = ({ args }: Stanza) => args[0] === type && args[1] === tagOf(blob);
  return {
    async unwrapFileKey(stanzas) {
      const found = stanzas.filter(mine);
      if (found.length === 0) return null;
      const key = await open();
      for (const { args, body } of found) {
        if (type === 'ssh-rsa') {
          const padding = constants.RSA_PKCS1_OAEP_PADDING;
          return privateDecrypt({ key, oaepHash: 'sha256', oaepLabel: RSA_LABEL, padding }, body);
        }
        const seed = Buffer.from(key.export({ format: 'jwk' }).d as string, 'base64url');
        const own = ed25519.utils.toMontgomery(ed25519Public(blob, recipient));
        const share = Buffer.from(args[2] ?? '', 'base64');
        const shared = x25519.scalarMult(
          tweakOf(blob),
          x25519.scalarMult(ed25519.utils.toMontgomerySecret(seed), share),
        );
        return opened(wrapKey(shared, share, own), body);
      }
      return null;
    },
  };
}

export function noRecipient(text: string, why: string): DockerTlsError {
  return new DockerTlsError('E_RECIPIENT', `nothing can be encrypted for "${text.slice(0, 60)}": ${why}`, {
    hints: [
      'an SSH key of yours: cat ~/.ssh/id_ed25519.pub',
      'a new one: ssh-keygen -t ed25519; or age-keygen -o ~/.config/docker-tls/identity',
    ],
  });
}

/** Type and wire form of `ssh-ed25519 AAAA… comment`. Fails with E_RECIPIENT. */
function parsePublic(text: string): [string, Buffer] {
  const [type = '', encoded = ''] = text.trim().split(/\s+/);
  const blob = Buffer.from(encoded, 'base64');
  if (type !== 'ssh-ed25519' && type !== 'ssh-rsa') {
    throw noRecipient(text, 'of SSH keys only ssh-ed25519 and ssh-rsa can open files (a security key cannot)');
  }
  if (readString(blob, 0).toString() !== type) throw noRecipient(text, 'this SSH public key is not whole');
  return [type, blob];
}

/** `ssh-ed25519 AAAA…` of the parts of a public key. */
export function sshKeyText(type: string, ...parts: Uint8Array[]): string {
  return `${type} ${Buffer.concat([type, ...parts].map(wireString)).toString('base64')}`;
}

function ed25519Public(blob: Buffer, text: string): Buffer {
  const key = readString(blob, 4 + 'ssh-ed25519'.length);
  if (key.length !== 32) throw noRecipient(text, 'this SSH public key is not whole');
  return key;
}

/** First four bytes of the key's SHA-256: they identify the recipient of a stanza. */
function tagOf(blob: Buffer): string {
  return base64(createHash('sha256').update(blob).digest().subarray(0, 4));
}

function tweakOf(blob: Buffer): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', Buffer.alloc(0), blob, ED25519_LABEL, 32));
}

function wrapKey(shared: Uint8Array, share: Uint8Array, recipient: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', shared, Buffer.concat([share, recipient]), ED25519_LABEL, 32));
}

function sealed(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: 16 });
  return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

function opened(key: Uint8Array, body: Uint8Array): Uint8Array {
  const cipher = createDecipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: 16 });
  cipher.setAuthTag(body.subarray(-16));
  return Buffer.concat([cipher.update(body.subarray(0, -16)), cipher.final()]);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '');
}
