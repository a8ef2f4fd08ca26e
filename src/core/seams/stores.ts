/** A store shared by several machines. adapters/store/open.ts opens it. */

import type { ActionContext } from '../actions/action-context.ts';
import type { Store } from '../adapters/store/store.ts';
import type { OpenOptions } from '../adapters/store/store-url.ts';
import type { CaSigner } from '../domain/external-ca.ts';
import type { Connect, SshOptions } from '../runtime.ts';
import { seam } from './seam.ts';

type SharedStore = {
  /** Fails with E_STORE_URL (exit 2). Also removes a password that the address names from the environment. */
  checkAddress(url: string): void;
  /** Commands that daily jobs run as well, so that the store stays usable. */
  readonly scheduled: readonly string[];
  open(options: OpenOptions & { readonly url: string }): Promise<Store>;
  consent(context: ActionContext): Promise<StoreConsent>;
};

/** Consent to settings that make this machine run or send something. Fails with E_STORE_SETTINGS, E_DECLINED (exit 2). */
export type StoreConsent = {
  signer(signer: CaSigner): Promise<void>;
  /**
   * To jump hosts that the store names, before the first login to them, and to a host that is no longer where this computer logged in last:
   * it may be a colleague's machine, which gets the sudo password. Of a host without any login only that password matters.
   */
  way(
    options: Pick<
      SshOptions,
      'host' | 'user' | 'rootless' | 'sudoPassword' | 'jump' | 'jumpFromStore' | 'placeFromStore'
    >,
  ): Promise<void>;
  /** After the consent to the way; the store remembers each place. */
  readonly connect: Connect;
};

export const SHARED_STORE = seam<SharedStore>();
