/** Lists of hosts that other tools write. actions/selection.ts reads them. */

import type { DockerTlsError } from '../../errors/errors.ts';
import type { HostSpec } from '../domain/settings.ts';
import { seam } from './seam.ts';

/** What an inventory says of one host. A host that is not for us, or not fit, is an error only where it is chosen. */
export type InventoryHost = {
  readonly name: string;
  readonly spec?: HostSpec;
  /** Groups of Ansible that it is in, also through their children. */
  readonly groups?: readonly string[];
  /** Its ansible_connection is one of another kind of machine, such as winrm. */
  readonly connection?: string;
  /** E_INVENTORY (exit 2). */
  readonly problems: readonly DockerTlsError[];
};

export type Inventories = {
  /** `name`: of the file, for messages. Throws DockerTlsErrors of E_INVENTORY (exit 2) where it is not such a list, or empty. */
  parseInventory(text: string, name: string): readonly InventoryHost[];
  /** The hosts that were chosen, or everything that prevents it: DockerTlsErrors of E_INVENTORY (exit 2). */
  chosenSpecs(chosen: readonly InventoryHost[]): readonly HostSpec[];
};

export const INVENTORIES = seam<{ load(): Promise<Inventories> }>();
