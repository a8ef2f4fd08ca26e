/** Lists of hosts that other tools write. actions/selection.ts reads them. */

import type { DockerTlsError } from '../../errors/errors.ts';
import type { HostSpec } from '../domain/settings.ts';
import { seam } from './seam.ts';

/** One host of an inventory. An unusable host is an error only if it is selected. */
export type InventoryHost = {
  readonly name: string;
  readonly spec?: HostSpec;
  /** The host's Ansible groups, including those that contain it through child groups. */
  readonly groups?: readonly string[];
  /** Set if ansible_connection names another kind of machine, such as winrm. */
  readonly connection?: string;
  /** E_INVENTORY (exit 2). */
  readonly problems: readonly DockerTlsError[];
};

type Inventories = {
  /** `name`: the file's, for messages. Throws DockerTlsErrors of E_INVENTORY (exit 2) for an empty or foreign file. */
  parseInventory(text: string, name: string): readonly InventoryHost[];
  /** The selected hosts, or every problem with them: DockerTlsErrors of E_INVENTORY (exit 2). */
  chosenSpecs(chosen: readonly InventoryHost[]): readonly HostSpec[];
};

export const INVENTORIES = seam<{ load(): Promise<Inventories> }>();
