/** The test whether dockerd need not be asked if it would start: it runs with all of that already. */

import { keyTypeOf } from '../pki/keys.ts';
import { parseCertificate } from '../pki/parse.ts';
import { viewDaemon } from './daemon-view.ts';
import type { Credentials } from './desired.ts';
import { type HostFacts, installedCredentials } from './facts.ts';
import type { HostPlan } from './plan.ts';

/**
 * Whether the daemon runs with all that it will be started with, but for other certificates and a key of the same type: then there is nothing to ask it.
 */
export function isInUse({ files }: HostPlan, facts: HostFacts, credentials: Credentials | undefined): boolean {
  const { runsBinary, binary, edited, unit } = facts.docker;
  const view = viewDaemon(facts);
  const before = installedCredentials(facts)?.cert;
  return (
    credentials !== undefined &&
    before !== undefined &&
    unit.active === 'active' &&
    runsBinary &&
    view.commandLine?.program === binary &&
    // The only configuration file that is looked at for edits.
    view.configName === facts.places.daemonJson &&
    edited?.length === 0 &&
    files.every(({ kind, path }) => kind === 'link' && path === facts.places.current) &&
    keyType(before) === keyType(credentials.cert)
  );
}

/** Of a certificate, also of one that another program has put there and that none can read. */
function keyType(cert: string): string | undefined {
  try {
    return keyTypeOf(parseCertificate(cert).x509.publicKey);
  } catch {
    return undefined;
  }
}
