/** A store shared by several machines. adapters/store/open.ts opens it. */

import type { Store } from '../adapters/store/store.ts';
import type { OpenOptions } from '../adapters/store/store-url.ts';
import { seam } from './seam.ts';

type SharedStore = {
  /** Fails with E_STORE_URL (exit 2). Also removes a password that the address names from the environment. */
  checkAddress(url: string): void;
  /** Commands that daily jobs run as well, so that the store stays usable. */
  readonly scheduled: readonly string[];
  open(options: OpenOptions & { readonly url: string }): Promise<Store>;
};

export const SHARED_STORE = seam<SharedStore>();
