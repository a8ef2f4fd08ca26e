/**
 * Owns two round trips that ssh2 waits for and RFC 4252 and 4254 do not ask for: whether a key would be welcome before
 * signing with it, and whether a command was started before sending its input. Over a slow network they are most of a
 * login. ssh2 has no option for either, so this reaches into its Protocol (its version is pinned); where it
 * does not find what it expects, everything still works, one round trip later.
 */

import type { Client, ClientChannel } from 'ssh2';
import type { Signer } from './keys.ts';

type Sign = (data: Buffer, done: (signature: Buffer) => void) => void;
type Inside = {
  readonly _protocol?: {
    authPK?: (user: string, key: { getPublicSSH(): Buffer }, algorithm?: string, sign?: Sign) => void;
    exec?: (channel: number, command: string, wantReply: boolean) => void;
  };
  readonly _chanMgr?: { readonly _channels?: Readonly<Record<string, unknown>> };
};

/**
 * Signs at the first offer with keys that need no person and no agent: `ready` names them by public key blob.
 * Call after client.connect(). A key that is not welcome costs the same one round trip as an offer.
 */
export function signAtOnce(client: Client, ready: (blob: Buffer) => Signer | undefined): void {
  const protocol = (client as unknown as Inside)._protocol;
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

/**
 * Like client.exec, but `early` gets the channel as soon as the request is sent, to write to; `done` comes when the host
 * has answered. `early` may not be called at all.
 */
export function execEarly(
  client: Client,
  command: string,
  early: (channel: ClientChannel) => void,
  done: (error: Error | undefined, channel: ClientChannel) => void,
): void {
  const inside = client as unknown as Inside;
  const protocol = inside._protocol;
  const send = protocol?.exec;
  if (protocol !== undefined && send !== undefined && !(command in waiting(protocol))) {
    waiting(protocol)[command] = early;
    if (!wrapped.has(protocol)) {
      wrapped.add(protocol);
      protocol.exec = (id, text, wantReply) => {
        send.call(protocol, id, text, wantReply);
        const tell = waiting(protocol)[text];
        delete waiting(protocol)[text];
        const channel = Object.values(inside._chanMgr?._channels ?? {}).find(
          (each) => (each as { outgoing?: { id?: unknown } } | undefined)?.outgoing?.id === id,
        );
        if (channel !== undefined) tell?.(channel as ClientChannel);
      };
    }
  }
  client.exec(command, (error, channel) => {
    if (protocol !== undefined) delete waiting(protocol)[command];
    done(error, channel);
  });
}

const wrapped = new WeakSet<object>();
const early = new WeakMap<object, Record<string, (channel: ClientChannel) => void>>();

/** Who waits for which command's channel; each command is unique by its mark. */
function waiting(protocol: object): Record<string, (channel: ClientChannel) => void> {
  const known = early.get(protocol) ?? {};
  early.set(protocol, known);
  return known;
}
