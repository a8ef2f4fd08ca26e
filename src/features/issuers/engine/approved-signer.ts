/** Signer of a CA for a run: from the run's own files, or from the store once accepted on this machine. */

import type { CaToken } from '../../../core/domain/external-ca.ts';
import { inspectCertificate, splitBundle } from '../../../core/domain/pki/inspect.ts';
import { plural } from '../../../core/domain/words.ts';
import type { SignRequest } from '../../../core/runtime.ts';
import type { RunSigner, SignerRun } from '../../../core/seams/issuers.ts';
import { openToken } from './token.ts';

export function signerFor({ runtime, passphrase, approve, signer, note }: SignerRun): RunSigner {
  async function approved(token: CaToken): Promise<CaToken> {
    if (signer?.token?.uri === token.uri) return signer.token;
    await approve({ token });
    return token;
  }

  return {
    async sign(ca, request) {
      if (ca !== signer?.external) await approve({ external: ca });
      const cert = await runtime.sign(ca, request);
      const short = shortened(cert, request);
      if (short !== undefined) note?.(short);
      return cert;
    },
    async open(cert, token) {
      return openToken(cert, await approved(token), passphrase, runtime);
    },
    async unlock(token) {
      await passphrase.pin(await approved(token));
    },
  };
}

const DAY_MS = 86_400_000;

/** A note if the CA issued for less time than requested: the certificate must be renewed sooner. */
function shortened(cert: string, { profile, name, days, ca, now }: SignRequest): string | undefined {
  const [first] = splitBundle(ca);
  const ends = [
    now.getTime() + days * DAY_MS,
    ...(first === undefined ? [] : [inspectCertificate(first).notAfter.getTime()]),
  ];
  const { notAfter } = inspectCertificate(cert);
  const missing = Math.min(...ends) - notAfter.getTime();
  if (missing < Math.max(DAY_MS, (days * DAY_MS) / 10)) return undefined;
  const what = profile === 'issuer' ? 'issuing CA' : 'certificate';
  const end = notAfter.toISOString().replace(/\.\d+Z$/, 'Z');
  return `${name}: the CA made its ${what} until ${end}, not for the requested ${plural(days, 'day')}: renew it in time`;
}
