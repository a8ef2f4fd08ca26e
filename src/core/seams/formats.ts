/** Configuration of other tools, for `env --format` and `client export --format`. */

import type { ActionContext } from '../actions/action-context.ts';
import type { ClientBundle } from '../adapters/docker/bundle.ts';
import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import type { Secret } from '../domain/secret.ts';
import type { ToolConfiguration } from '../domain/shell-environment.ts';
import { seam } from './seam.ts';

type FormatCode = {
  /** The text for this machine, and its subject. */
  configure(
    requested: { readonly host: string | undefined; readonly client: string | undefined },
    context: ActionContext,
  ): Promise<ToolConfiguration>;
  /** For a machine without the store, with the files in `directory`: the client's three files and the tool's configuration. */
  archive(bundle: ClientBundle, client: StoredClient, directory: string, now: Date): Secret;
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
