/** A change of clients, and of the hosts whose trust file it makes outdated. */

import type { StoredHost, StoreState } from '../adapters/store/records.ts';
import { type HostFlags, recordedSpecs } from '../domain/hosts/specs.ts';
import { accessOf, reasonsFor, withTrust } from '../domain/trust/access.ts';
import { type CredentialChange, preview, specsOf, type Wanted } from '../domain/trust/changes.ts';
import { viewOf } from '../domain/trust/view.ts';
import { nameHosts } from '../domain/words.ts';
import type { StoredOptions } from './run.ts';

export type AccessOptions = StoredOptions & { readonly rejectOtherClients: boolean };

type About = {
  readonly flags: HostFlags;
  readonly rejectOthers: boolean;
  readonly now: Date;
  /** Every host changes, so none needs a reason. */
  readonly unexplained?: boolean;
};

/** The hosts whose trust file is outdated after the changes, with a reason for each. */
export function tellHosts(
  state: StoreState,
  credentials: readonly CredentialChange[],
  { flags, rejectOthers, now, unexplained = false }: About,
): Wanted {
  const view = preview(viewOf(state, now), credentials);
  const { trust, outdated, withoutClients, notes } = accessOf(state, view, { rejectOthers, now });
  const records = credentials.flatMap((one) => ('record' in one ? [one.record] : []));
  const unnamed = outdated.filter((host) => !records.some(({ hosts }) => hosts?.includes(host)));
  const names = records.map(({ name }) => name).join(', ');
  const hosts = unnamed.map((name) => state.hosts.get(name) as StoredHost);
  return {
    hosts: withTrust(recordedSpecs(outdated, state, flags), state, view, trust),
    credentials,
    target: { kind: 'desired', rejectOthers, addHardening: true },
    notes: [...notes, ...(unexplained ? [] : reasonsFor(hosts, view, `${names} must be rejected there`))],
    leftOut: withoutClients,
  };
}

export function askAboutHosts(wanted: Wanted): string | undefined {
  return wanted.hosts.length === 0 ? undefined : `Change which clients are accepted on ${nameHosts(specsOf(wanted))}?`;
}
