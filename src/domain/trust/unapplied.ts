/** Owns how the certificate of a host differs from the one in the store: one that was signed since and not applied, or simply another one. */

import { inspectCertificate } from '../pki/inspect.ts';
import { dateWords } from '../words.ts';

/** `found`: what the host serves or has (PEM; empty: none). `verb`: `serves` or `has`. Undefined: the same certificate. */
export function certificateDrift(found: string, stored: string, verb: 'serves' | 'has'): string | undefined {
  if (found === '') return `${verb} no certificate`;
  const [there, here] = [inspectCertificate(found), inspectCertificate(stored)];
  if (there.fingerprint === here.fingerprint) return undefined;
  return here.notBefore > there.notBefore
    ? `still ${verb} the certificate until ${dateWords(there.notAfter)}: the newer one in the store (until ${dateWords(here.notAfter)}) was signed but not applied`
    : `${verb} another certificate than the one in the store`;
}
