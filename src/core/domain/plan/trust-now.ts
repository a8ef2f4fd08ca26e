/** The CAs whose clients a host accepts now: what it shows of its daemon and of its trust file. */

import { resolve } from 'node:path/posix';
import { lastOf } from '../dockerd/options.ts';
import { inspectCertificate } from '../pki/inspect.ts';
import { certificateTexts } from '../pki/pem.ts';
import { viewDaemon } from './daemon-view.ts';
import { fileText, type HostFacts, installedCredentials } from './facts.ts';

/** Where dockerd looks for the CA when nothing names a file. */
const DEFAULT_CA_FILE = '/root/.docker/ca.pem';

/** What a host accepts now. */
export type TrustNow = {
  /** PEM of the CAs; empty where the file could not be read. */
  readonly trust: string;
  /** The file on the host. */
  readonly path: string;
  /** It is the trust file of our own active generation. */
  readonly ours: boolean;
};

/** The trust file that the daemon goes by, ours or one that was there before; undefined: no client has to show a certificate over TCP. */
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

/** The certificates of a file that may hold anything; those that cannot be read accept no client. */
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
