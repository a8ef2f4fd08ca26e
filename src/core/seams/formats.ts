/** Configuration of other tools, for `env --format` and for files that a feature hands out. */

import type { ActionContext } from '../actions/action-context.ts';
import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import type { Secret } from '../domain/secret.ts';
import type { ToolConfiguration } from '../domain/shell-environment.ts';
import { seam } from './seam.ts';

/** Where the files of an archive will be, and the hosts that their tool gets. */
export type ToolPlace = {
  /** The hosts' names, and what DOCKER_HOST would be. */
  readonly hosts: readonly { readonly name: string; readonly host: string }[];
  readonly directory: string;
  /** The command for one of the hosts. */
  readonly naming: (host: string) => string;
};

type FormatCode = {
  /** The text for this machine, and its subject. */
  configure(
    requested: { readonly host: string | undefined; readonly client: string | undefined },
    context: ActionContext,
  ): Promise<ToolConfiguration>;
  /** For a machine without the store: the client's three files and the tool's configuration. */
  archive(client: StoredClient, place: ToolPlace, now: Date): Secret;
  /** Commands that configure a tool on this machine for the host, without remarks; empty if the store lacks the host or the client. */
  commandsHere(state: StoreState, host: string, client: string, program: string): string[];
};

export type ToolFormat = {
  readonly name: string;
  /** The configuration's file name in an archive. */
  readonly file: string;
  /** How a renewed client takes effect, if the tool keeps its own copy or reads the files only once. */
  readonly afterRenewal?: string;
  load(): Promise<FormatCode>;
};

export const FORMATS = seam<ToolFormat>();

export function toolFormat(name: string): ToolFormat | undefined {
  return FORMATS.all.find((one) => one.name === name);
}
