/** The signer of a CA as a run uses it: as its own files name it, or as the store does, once that is accepted on this computer. */

import type { CaToken, Signer } from '../domain/external-ca.ts';
import { inspectCertificate, splitBundle } from '../domain/pki/inspect.ts';
import { plural } from '../domain/words.ts';
import type { Runtime, SignRequest } from '../runtime.ts';

export type SignerApproval = {
  /** Asked before anything signs by settings of the store. Fails where the answer is no. */
  approve(signer: Signer): Promise<void>;
  /** How the CA signs from here, where the fleet file says it: its files are of this computer. */
  readonly signer?: Signer | undefined;
  /** Says what a person should know of what was signed. */
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

/** A CA may give less time than was asked for: its certificates have to be renewed sooner. */
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
  return `${name}: the CA made its ${what} until ${end}, and ${plural(days, 'day')} were asked for: renew it in time`;
}
