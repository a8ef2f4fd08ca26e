/** Signer of a CA for a run: from the run's own files, or from the store once accepted on this machine. */

import type { CaSigner, CaToken } from '../domain/external-ca.ts';
import { inspectCertificate, splitBundle } from '../domain/pki/inspect.ts';
import { plural } from '../domain/words.ts';
import type { Runtime, SignRequest } from '../runtime.ts';

export type SignerApproval = {
  /** Called before anything signs with settings of the store. Fails if the person declines. */
  approve(signer: CaSigner): Promise<void>;
  /** The CA's signer from the fleet file; its files are on this machine. */
  readonly signer?: CaSigner | undefined;
  /** Reports what a person should know about a signature. */
  note?(text: string): void;
};

export function approvedSigner({ sign }: Pick<Runtime, 'sign'>, { approve, signer, note }: SignerApproval) {
  return {
    async sign(...[ca, request]: Parameters<Runtime['sign']>): Promise<string> {
      if (ca !== signer?.external) await approve({ external: ca });
      const cert = await sign(ca, request);
      const short = shortened(cert, request);
      if (short !== undefined) note?.(short);
      return cert;
    },
    async token(token: CaToken): Promise<CaToken> {
      if (signer?.token?.uri === token.uri) return signer.token;
      await approve({ token });
      return token;
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
