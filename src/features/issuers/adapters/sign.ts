/** Single entry point to external CAs: requests as recorded, limits the lifetime to the CA's, and verifies the answer. */

import type { ExternalCa } from '../../../core/domain/external-ca.ts';
import { inspectCertificate, splitBundle } from '../../../core/domain/pki/inspect.ts';
import type { SignRequest } from '../../../core/runtime.ts';
import { checkSigned } from './answer.ts';
import { signByCfssl } from './cfssl.ts';
import { signByCommand } from './sign-command.ts';
import { signByStepCa } from './step-ca.ts';
import { signByVault } from './vault.ts';

/** Fails like `Sign`. */
export async function sign(ca: ExternalCa, request: SignRequest, signal?: AbortSignal): Promise<string> {
  const limited = { ...request, days: daysWithin(request) };
  return checkSigned(await ask(ca, limited, signal), limited);
}

/** The certificate with the rest of the answer, PEM. */
async function ask(ca: ExternalCa, request: SignRequest, signal?: AbortSignal): Promise<string> {
  switch (ca.kind) {
    case 'command':
      return signByCommand(ca.command, request, signal);
    case 'step-ca':
      return signByStepCa(ca, request, signal);
    case 'cfssl':
      return signByCfssl(ca, request, signal);
    case 'vault':
      return signByVault(ca, request, signal);
  }
}

/** A person may carry the request, and the CA uses its own clock. */
const SIGNING_MS = 3_600_000;

/** Lifetime in days within that of the CA, whatever the CA would sign: ends early enough even if the CA signs a little later. */
function daysWithin({ days, ca, now }: SignRequest): number {
  const [first] = splitBundle(ca);
  if (first === undefined) return days;
  const left = Math.floor((inspectCertificate(first).notAfter.getTime() - now.getTime() - SIGNING_MS) / 86_400_000);
  return Math.max(1, Math.min(days, left));
}
