/** Signatures of reports, and who may make them. */

import { fingerprintOf } from '../../../core/domain/pki/ssh-wire.ts';
import { readSignature, verifies } from '../../../formats/sshsig.ts';
import { unarmored } from './detached-signature.ts';

/** What a signature is for: one made for another purpose does not count here, nor ours there. */
export const NAMESPACE = 'docker-tls-audit';

export type Checked = { readonly publicKey: Buffer; readonly key: string } | { readonly problem: string };

/** Checks a detached signature, and returns the key that made it: whether that one may sign is the caller's to decide. */
export function checkDetached(message: Buffer, text: string): Checked {
  const bytes = unarmored(text);
  const signature = bytes && readSignature(bytes);
  if (signature === undefined) return { problem: 'it is not a signature of ssh-keygen, or not a whole one' };
  const { namespace, publicKey } = signature;
  if (namespace !== NAMESPACE) return { problem: `it is for ${JSON.stringify(namespace)}, not for ${NAMESPACE}` };
  const right = verifies(signature, message);
  if (right === undefined) return { problem: 'its type of key is not known here; ssh-keygen -Y verify may know it' };
  return right ? { publicKey, key: fingerprintOf(publicKey) } : { problem: 'the file is not the one that was signed' };
}
