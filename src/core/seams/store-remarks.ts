/** Remarks of features on the state of the whole store. commands/status.ts shows them. */

import type { Hint } from '../../errors/errors.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { seam } from './seam.ts';

export type StoreRemark = {
  /** A line below the table. */
  readonly words: string;
  /** Commands, some after a few words. */
  readonly next: readonly Hint[];
};

export const STORE_REMARKS = seam<{ load(): Promise<(state: StoreState, now: Date) => StoreRemark | undefined> }>();

export async function remarksOn(state: StoreState, now: Date): Promise<StoreRemark[]> {
  const remarks = await Promise.all(STORE_REMARKS.all.map(({ load }) => load()));
  return remarks.flatMap((remark) => remark(state, now) ?? []);
}
