/** Configuration of other tools, for `env --format` and `client export --format`. */

import type { ActionContext } from '../actions/action-context.ts';
import type { ClientBundle } from '../adapters/docker/bundle.ts';
import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import type { Environment } from '../domain/environment.ts';
import type { Secret } from '../domain/secret.ts';
import { seam } from './seam.ts';

export type FormatCode = {
  /** For this computer: the text, and what it is about. */
  configure(
    requested: { readonly host: string | undefined; readonly client: string | undefined },
    context: ActionContext,
  ): Promise<Environment>;
  /** For a computer without the store, where the files will be in `directory`: the client's three files and the tool's configuration. */
  archive(bundle: ClientBundle, client: StoredClient, directory: string, now: Date): Secret;
  /** The commands that give a tool here the host, without remarks; none for what the store does not have. */
  commandsHere(state: StoreState, host: string, client: string, program: string): string[];
};

export type ToolFormat = {
  readonly name: string;
  /** The file of its configuration in an archive. */
  readonly file: string;
  /** What brings a renewed client into effect, where the tool keeps its own copy or reads the files only once. */
  readonly afterRenewal?: string;
  load(): Promise<FormatCode>;
};

export const FORMATS = seam<ToolFormat>();

export function toolFormat(name: string): ToolFormat | undefined {
  return FORMATS.all.find((one) => one.name === name);
}
