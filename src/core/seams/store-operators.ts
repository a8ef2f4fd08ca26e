/** Keys with which the operators of a shared store sign files that are not in it. The store that SHARED_STORE opens has them. */

export type StoreOperators = {
  /** Address of the store. */
  readonly url: string;
  /** This user's own key. Fails with E_STORE_READ_ONLY (exit 2) if none here signs for the operator whose key opens the store. */
  ownKey(): Promise<OperatorKey>;
  /** Whose key it is, or was; undefined: never that of an operator who could open the CA, nor of one of today. */
  whose(publicKey: Buffer): Promise<KeyOwner | undefined>;
};

export type OperatorKey = {
  /** Name of the operator. */
  readonly name: string;
  /** In SSH's wire form. */
  readonly publicKey: Buffer;
  /** A signature of OpenSSH (PROTOCOL.sshsig), for the namespace alone. Fails if an agent does not sign. */
  sign(message: Buffer, namespace: string): Promise<Buffer>;
};

export type KeyOwner = {
  /** Name of the operator. */
  readonly name: string;
  /** True if it is an operator's key today. */
  readonly current: boolean;
  /**
   * When it was one's before, oldest first: from the commit that added it up to the one that removed it, by the times in those commits. Times
   * that the store does not tell are left out.
   */
  readonly past: readonly { readonly from: Date; readonly until: Date }[];
};
