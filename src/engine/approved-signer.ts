/** The signer of a CA as a run uses it: as its own files name it, or as the store does, once that is accepted on this computer. */

import type { CaToken, Signer } from '../domain/external-ca.ts';
import type { Runtime } from '../runtime.ts';

export type SignerApproval = {
  /** Asked before anything signs by settings of the store. Fails where the answer is no. */
  approve(signer: Signer): Promise<void>;
  /** How the CA signs from here, where the fleet file says it: its files are of this computer. */
  readonly signer?: Signer | undefined;
};

export function approvedSigner({ sign }: Pick<Runtime, 'sign'>, { approve, signer }: SignerApproval) {
  return {
    async sign(...[ca, request]: Parameters<Runtime['sign']>): Promise<string> {
      if (ca !== signer?.external) await approve({ external: ca });
      return sign(ca, request);
    },
    async token(token: CaToken): Promise<CaToken> {
      if (signer?.token?.uri === token.uri) return signer.token;
      await approve({ token });
      return token;
    },
  };
}
