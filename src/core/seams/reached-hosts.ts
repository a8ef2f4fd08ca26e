/** Hosts of other stores, which imported clients reach. `status` asks them. */

import type { Hint } from '../../errors/errors.ts';
import type { StoreState } from '../adapters/store/records.ts';
import type { LiveRow, ReachedHost } from '../domain/status-row.ts';
import type { Colours } from '../render/colours.ts';
import type { Progress, Runtime } from '../runtime.ts';
import { seam } from './seam.ts';

export type ReachedHosts = {
  /** Hosts of imported clients, not asked. `names`: only these hosts; none: all. */
  knownReached(state: StoreState, names: ReadonlySet<string>): readonly ReachedHost[];
  /** What they answer: by client name, and each host and client. */
  askReached(
    run: { readonly parallel: number | undefined; readonly progress: Progress; readonly runtime: Runtime },
    state: StoreState,
    names: ReadonlySet<string>,
  ): Promise<Reached>;
  /** A table: whether they accept the imported clients. */
  renderReached(hosts: readonly ReachedHost[], colours: Colours, columns?: number): string[];
  /** The owner of a host alone can change what it accepts. */
  waysOnReached(host: ReachedHost): Hint[];
};

export type Reached = { readonly clients?: ReadonlyMap<string, LiveRow>; readonly hosts: readonly ReachedHost[] };

export const REACHED_HOSTS = seam<{ load(): Promise<ReachedHosts> }>();
