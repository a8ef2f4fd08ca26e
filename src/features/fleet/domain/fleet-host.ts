/** A host in a fleet file: its spec, and the file's text with the host added. */

import { isDeepStrictEqual } from 'node:util';
import type { StoreState } from '../../../core/adapters/store/records.ts';
import { withRecordedKey } from '../../../core/domain/hosts/recorded-key.ts';
import { type HostFlags, knownHost, specFor, withFlags } from '../../../core/domain/hosts/specs.ts';
import type { ClientSpec, HostSpec } from '../../../core/domain/settings.ts';
import { addClientToFleet, addHostToFleet } from './edit.ts';
import type { Fleet } from './fleet.ts';
import { hostOf } from './fleet-entry.ts';

/** Spec from the file, else from the store, else a new host with the file's defaults; flags apply on top. */
export function specInFleet(fleet: Fleet | undefined, host: string, state: StoreState, flags: HostFlags): HostSpec {
  const known = knownHost(fleet?.hosts ?? [], host, flags);
  if (known !== undefined) return withRecordedKey(known, state);
  const stored = specFor(host, state, flags);
  if (fleet === undefined || state.hosts.has(stored.name)) return stored;
  return withFlags(hostOf(stored.name, host, fleet.defaults), flags);
}

/** A fleet file: text, content as written, and content with absolute paths. */
export type OpenedFleet = { readonly text: string; readonly written: Fleet; readonly fleet: Fleet };

export type FleetAdditions = {
  /** Reference to the sudo password (sudoReference). */
  readonly sudoPassword?: string | undefined;
  readonly client?: ClientSpec | undefined;
};

/**
 * The text with the host added, and with the client created for it. `file` undefined: there is no file yet.
 * Fails with E_FLEET, E_FLEET_DEFAULTS (exit 2).
 */
export function fleetWith(
  file: OpenedFleet | undefined,
  spec: HostSpec,
  { sudoPassword, client, shown }: FleetAdditions & { readonly shown: string },
): string {
  const asWritten = file ? withWrittenPaths(spec, file.written, file.fleet) : spec;
  const text = addHostToFleet(file?.text, asWritten, { path: shown, sudoPassword });
  const known = client === undefined || file?.written.clients.some(({ name }) => name === client.name);
  return known ? text : addClientToFleet(text, client, shown);
}

/** Paths from the defaults stay as written in the file. */
function withWrittenPaths(spec: HostSpec, written: Fleet, resolved: Fleet): HostSpec {
  const ssh = { ...spec.ssh };
  if (isDeepStrictEqual(ssh.identities, resolved.defaults.ssh?.identities))
    ssh.identities = written.defaults.ssh?.identities;
  if (ssh.configFile === resolved.defaults.ssh?.configFile) ssh.configFile = written.defaults.ssh?.configFile;
  return { ...spec, ssh };
}
