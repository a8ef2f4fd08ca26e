/** `client export`: a client as one file for another computer, a keychain, Java, a CI system or a tool. */

import type { ClientBundle } from '../adapters/docker/bundle.ts';
import type { StoredClient } from '../adapters/store/records.ts';
import type { Secret } from '../domain/secret.ts';
import { isTool, TOOLS, type ToolName } from '../domain/tools/tools.ts';
import { DockerTlsError, usage } from '../errors/errors.ts';
import type { ActionContext } from './action-context.ts';
import { type BundleFormat, bundleOf, clientOf, renderBundle } from './client-bundle.ts';
import { checkOut, type OutOptions, writeOut } from './files.ts';
import { exportPassphrase } from './secrets.ts';
import { storeOf } from './store.ts';
import { accessThere, packTool, rememberCopy } from './tool-config.ts';

export type ExportOptions = OutOptions & {
  readonly format: BundleFormat | ToolName | undefined;
  readonly directory: string | undefined;
  readonly hosts: readonly string[];
  readonly passphraseFile: string | undefined;
};

export type Exported = {
  readonly client: string;
  readonly format: BundleFormat | ToolName;
  readonly hosts: readonly string[];
  readonly key: boolean;
  /** Absolute; `-` is standard output; undefined of a dry run. */
  readonly file: string | undefined;
};

export async function exportClient(context: ActionContext, name: string, options: ExportOptions): Promise<Exported> {
  const { global, runtime } = context;
  const { format = 'tar', replace, directory } = options;
  const out = checkedOut(name, options);
  const file = { runtime, global, out, replace, binary: format === 'p12' };
  checkOut(file, true);
  const store = storeOf(context);
  const state = await store.read();
  const client = clientOf(state, name);
  const bundle = bundleOf(state, client, options.hosts);
  const now = runtime.now();
  const passphrase = () => exportPassphrase(options.passphraseFile, 'Passphrase for the file:', context);
  const data = isTool(format)
    ? toolArchive(format, bundle, client, directory ?? '', now)
    : await renderBundle(bundle, format, { now, passphrase });
  const key = bundle.key !== undefined;
  const exported = { client: name, format, hosts: bundle.hosts.map((host) => host.name), key };
  if (global.dryRun) return { ...exported, file: undefined };
  const path = await writeOut({ ...file, data });
  if (key) await rememberCopy(store, name, { format, hosts: options.hosts, file: path, directory }, runtime.now());
  return { ...exported, file: path };
}

/** Fails with E_USAGE (exit 2) without --out, and for a tool without --directory. */
function checkedOut(name: string, { out, format = 'tar', directory }: ExportOptions): string {
  if (out === undefined)
    throw usage('--out is missing', [
      `docker-tls client export ${name} --out ${name}.${isTool(format) ? 'tar' : format}`,
    ]);
  if (isTool(format) && !/^(?:\/|[A-Za-z]:\\)/.test(directory ?? ''))
    throw usage(`${format} needs to know where the files will be: an absolute --directory`, [
      `docker-tls client export ${name} --format ${format} --directory /etc/docker-client --out ${out}`,
    ]);
  if (!isTool(format) && directory !== undefined)
    throw usage(`--directory is for the archive of a tool, not for ${format}`, [`--format ${TOOLS.join('|')}`]);
  return out;
}

function toolArchive(tool: ToolName, bundle: ClientBundle, client: StoredClient, directory: string, now: Date): Secret {
  const [first, ...others] = bundle.hosts.map((host) => accessThere(host, bundle.client, directory));
  if (first !== undefined) return packTool(tool, [first, ...others], client, now);
  throw new DockerTlsError('E_CLIENT_NOT_ACCEPTED', `no host accepts this client, so ${tool} would have no host`, {
    where: bundle.client,
    hints: ['docker-tls client list'],
  });
}
