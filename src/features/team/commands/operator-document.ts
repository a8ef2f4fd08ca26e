/** An operator, as `operator add` and `operator list` print it in JSON. */

import type { Operator } from '../store/operators.ts';

/** An operator of a shared store. */
export type OperatorDocument = {
  readonly name: string;
  /** `age1…`, or an SSH public key. */
  readonly recipient: string;
  /** The SSH public key that signs in place of the recipient. */
  readonly signingKey?: string;
  /** Can open the CA, and so change the store. */
  readonly ca: boolean;
  /** The client whose key they can open without the CA. */
  readonly client?: string;
  readonly addedAt: string;
};

export function operatorDocument({ name, recipient, signingKey, ca, client, addedAt }: Operator): OperatorDocument {
  return { name, recipient, signingKey, ca, client, addedAt };
}
