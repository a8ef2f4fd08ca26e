/** CAs whose clients a host accepts now, from the facts of its daemon and trust file. */

import { resolve } from 'node:path/posix';
import { lastOf } from '../dockerd/daemon-options.ts';
import { inspectCertificate } from '../pki/inspect.ts';
import { certificateTexts } from '../pki/pem.ts';
import { viewDaemon } from './daemon-view.ts';
import { fileText, type HostFacts, installedCredentials } from './facts.ts';

/** dockerd's default CA file. */
const DEFAULT_CA_FILE = '/root/.docker/ca.pem';

/** Current trust of a host. */
export type TrustNow = {
  /** PEM of the CAs; empty if the file was unreadable. */
  readonly trust: string;
  /** Path of the file on the host. */
  readonly path: string;
  /** The trust file belongs to our active generation. */
  readonly ours: boolean;
};

/** The daemon's active trust file, ours or an earlier one; undefined: no TCP client needs a certificate. */
export function trustNow(facts: HostFacts): TrustNow | undefined {
  const installed = facts.transaction === undefined ? installedCredentials(facts) : undefined;
  if (installed !== undefined && facts.state !== undefined)
    return { trust: certificatesIn(installed.ca), path: `${facts.places.current}/ca.pem`, ours: true };
  const view = viewDaemon(facts);
  const sockets = facts.docker.otherSockets.flatMap(({ listens }) => listens);
  const reachable = view.listeners.some(({ kind }) => kind === 'tcp') || sockets.some((listen) => /:\d+$/.test(listen));
  if (!view.tlsVerified || !reachable) return undefined;
  const path = resolve('/', lastOf(view, 'tlscacert') ?? DEFAULT_CA_FILE);
  return { trust: certificatesIn(fileText(facts, path) ?? ''), path, ours: false };
}

/** Certificates of an untrusted file; unreadable ones accept no client and are dropped. */
function certificatesIn(text: string): string {
  return certificateTexts(text)
    .filter((block) => {
      try {
        return inspectCertificate(block).fingerprint !== '';
      } catch {
        return false;
      }
    })
    .map((block) => `${block}\n`)
    .join('');
}
