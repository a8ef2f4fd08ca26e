/** Whether `dockerd --validate` is unnecessary, because the running daemon already uses the planned configuration. */

import { keyTypeOf } from '../pki/keys.ts';
import { parseCertificate } from '../pki/parse.ts';
import { viewDaemon } from './daemon-view.ts';
import type { Credentials } from './desired.ts';
import { type HostFacts, installedCredentials } from './facts.ts';
import type { HostPlan } from './plan-host.ts';

/**
 * Whether the running daemon already has its planned configuration, except for certificates and a key of the same type. Validation is then
 * unnecessary.
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
    // The only configuration file that is checked for edits.
    view.configName === facts.places.daemonJson &&
    edited?.length === 0 &&
    files.every(({ kind, path }) => kind === 'link' && path === facts.places.current) &&
    keyType(before) === keyType(credentials.cert)
  );
}

/** Key type of a certificate; undefined if the certificate, possibly another program's, is unreadable. */
function keyType(cert: string): string | undefined {
  try {
    return keyTypeOf(parseCertificate(cert).x509.publicKey);
  } catch {
    return undefined;
  }
}
