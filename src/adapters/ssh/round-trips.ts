/**
 * Owns a round trip that ssh2 waits for and RFC 4252 (section 7) does not ask for: whether a key would be accepted, before
 * signing with it. ssh2 has no option for that, so this reaches into its Protocol (its version is pinned); where it does
 * not find what it expects, everything still works, one round trip later.
 *
 * Not worth it: sending a script before the host has answered the exec. OpenSSH's sshd opens a session with a window of 0
 * and lets input come together with that answer.
 */

import type { Client } from 'ssh2';
import type { Signer } from './keys.ts';

type Sign = (data: Buffer, done: (signature: Buffer) => void) => void;
type Offer = (user: string, key: { getPublicSSH(): Buffer }, algorithm?: string, sign?: Sign) => void;

/**
 * Signs at the first offer with keys that need no person and no agent: `ready` names them by public key blob.
 * Call after client.connect(). A key that is not accepted costs the same one round trip as an offer.
 */
export function signAtOnce(client: Client, ready: (blob: Buffer) => Signer | undefined): void {
  const protocol = (client as unknown as { readonly _protocol?: { authPK?: Offer } })._protocol;
  const offer = protocol?.authPK;
  if (protocol === undefined || offer === undefined) return;
  protocol.authPK = (user, key, algorithm, sign) => {
    const signer = sign === undefined ? ready(key.getPublicSSH()) : undefined;
    if (signer === undefined) {
      offer.call(protocol, user, key, algorithm, sign);
      return;
    }
    const hash = /^rsa-sha2-(256|512)$/.exec(algorithm ?? '')?.[1];
    offer.call(protocol, user, key, algorithm, (data, done) => {
      signer
        .sign(data, hash === undefined ? undefined : `sha${hash}`)
        .then(done)
        // It cannot sign after all: offer it, and let the next step say why.
        .catch(() => offer.call(protocol, user, key, algorithm));
    });
  };
}
