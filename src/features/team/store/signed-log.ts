/** History of a shared store, with the operators who signed it. */

import type { Session } from './session.ts';
import { ancestors, readManifest, signedWho } from './store-manifest.ts';

export type LogItem = {
  readonly revision: string;
  readonly at: Date;
  readonly who: string;
  readonly subject: string;
  readonly lines: readonly string[];
  /** The operator whose key signed all of this. */
  readonly signedBy?: string;
};

/** Newest first. Fails like a read: the history of a store is worth what its newest state is. */
export async function readLog(session: Session, limit: number): Promise<readonly LogItem[]> {
  const { snapshot, signers } = await session.read();
  const entries = await session.engine.log(snapshot.revision, limit);
  return entries.map(({ signed, history, revision, at, who, subject, lines }) => {
    const read = readManifest(signed, signers);
    // A signed manifest counts only where it was signed.
    if (typeof read === 'string' || ancestors(history) !== ancestors(read.manifest))
      return { revision, at, who, subject, lines };
    const { manifest, signer } = read;
    const message = {
      at: new Date(manifest.at),
      who: signedWho(read),
      subject: manifest.subject,
      lines: manifest.lines,
    };
    return { revision, ...message, signedBy: signer.name };
  });
}
