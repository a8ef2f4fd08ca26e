/** Files that name hosts: fleet files, and inventories of other tools. actions/fleet-files.ts calls them. */

import type { Prompts } from '../actions/ask.ts';
import type { SecretOptions } from '../actions/given-secrets.ts';
import type { StoreState } from '../adapters/store/records.ts';
import type { Named } from '../domain/hosts/selection.ts';
import type { HostFlags } from '../domain/hosts/specs.ts';
import type { CaSpec, ClientSpec, HostSpec } from '../domain/settings.ts';
import type { StatusRow } from '../domain/status-row.ts';
import type { CredentialChange } from '../domain/trust/changes.ts';
import type { Progress, Runtime } from '../runtime.ts';
import { seam } from './seam.ts';

/** References to secrets, `env:NAME`, `file:PATH` or `prompt`; never a secret itself. */
export type FileSecrets = {
  /** Also `none`: the key of a new CA is stored without a passphrase. */
  readonly caPassphrase?: string;
  /** By host name. */
  readonly sudoPassword?: Readonly<Record<string, string>>;
};

/** What brings clients in line with a file. */
export type ClientsInLine = {
  readonly changes: readonly CredentialChange[];
  /** Clients that may be accepted, in the order of the file. */
  readonly accepted: readonly string[];
  /** Clients revoked by the file whose credentials are still in the store. */
  readonly revoked: readonly string[];
  /** Settings of the file that do not apply yet, and the command that applies them. */
  readonly notes: readonly string[];
};

export type FileClients = {
  readonly names: readonly string[];
  /** Fails with E_CLIENT_REVOKED, E_CLIENT_EXTERNAL, E_LAST_CLIENT (exit 2). */
  inLine(state: StoreState, now: Date): ClientsInLine;
  /** How they differ from those of the store. Contacts no host. */
  drift(state: StoreState, now: Date): FileDrift;
};

export type FileDrift = {
  /** The row with the difference of its client beside what the store and the hosts say of it. */
  marked(row: StatusRow): StatusRow;
  /** Clients that the next apply issues. */
  readonly missing: readonly string[];
};

export type HostsOfFile = {
  readonly specs: readonly HostSpec[];
  readonly secrets: FileSecrets;
  /** Of a fleet file. */
  readonly ca?: CaSpec;
  readonly clients?: FileClients;
};

export type WritableFleet = {
  /** Its settings of a new CA; undefined if the file does not exist yet. */
  readonly ca?: CaSpec;
  /** Its references to secrets for a run over some hosts. */
  secretsOf(hosts: readonly HostSpec[]): FileSecrets;
  /** The file has a host of this name. */
  has(host: string): boolean;
  /** The host in the file, else in the store, else a new host with the file's defaults; flags override all of them. */
  specFor(host: string, state: StoreState, flags: HostFlags): HostSpec;
  /**
   * The edit that adds the host and its new client to the file; call it after the host is done. Undefined if the file has the host. Fails
   * with E_FLEET_DEFAULTS (exit 2) immediately, not in the edit.
   */
  edit(
    spec: HostSpec,
    more: { readonly secrets: SecretOptions; readonly client: ClientSpec | undefined },
  ): Promise<(() => Promise<void>) | undefined>;
};

export type FleetFiles = {
  /**
   * The hosts of a fleet file, or of an inventory. `named`: the user names hosts; otherwise those that are reached by other means than ssh are
   * left out. Fails with E_USAGE, E_FLEET, E_INVENTORY, and as `choose` does (exit 2).
   */
  hostsOf(
    files: { readonly file: string | undefined; readonly inventory: string | undefined; readonly named: boolean },
    choose: <Host extends Named>(all: readonly Host[]) => readonly Host[],
    around: { readonly runtime: Pick<Runtime, 'cwd' | 'env'>; readonly progress: Pick<Progress, 'note'> },
  ): Promise<HostsOfFile>;
  /** A fleet file that may not exist yet. Fails with E_USAGE, E_FLEET (exit 2). */
  open(file: string, runtime: Pick<Runtime, 'cwd' | 'env'>): Promise<WritableFleet>;
  /** The fleet file of this directory, or a new one; undefined if the user declines. An unreadable one stays unchanged. */
  offer(prompts: Prompts, runtime: Pick<Runtime, 'cwd' | 'env'>): Promise<WritableFleet | undefined>;
  /** As written; undefined: there is no such file. Fails with E_FLEET (exit 2). */
  secretsIn(file: string): Promise<FileSecrets | undefined>;
  /** Hides the secrets that the file names from programs that a shared store starts. Fails with E_FLEET, unless the file is missing. */
  hideSecrets(file: string, cwd: string): Promise<void>;
};

export const FLEET_FILES = seam<{ load(): Promise<FleetFiles> }>();
