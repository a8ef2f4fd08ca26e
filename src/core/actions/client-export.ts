/** `client export`: a client as one file for another computer, a keychain, Java, a CI system or a tool. */

import { usage } from '../../errors/errors.ts';
import { clientOf } from '../domain/trust/resolve.ts';
import { FORMATS, toolFormat } from '../seams/formats.ts';
import type { ActionContext } from './action-context.ts';
import { type BundleFormat, bundleOf, renderBundle } from './client-bundle.ts';
import { checkOut, type OutOptions, writeOut } from './files.ts';
import { rememberCopy } from './remember-copy.ts';
import { exportPassphrase } from './secrets.ts';
import { storeOf } from './store.ts';

export type ExportOptions = OutOptions & {
  /** A BundleFormat, or a tool's. */
  readonly format: string | undefined;
  readonly directory: string | undefined;
  readonly hosts: readonly string[];
  readonly passphraseFile: string | undefined;
};

export type Exported = {
  readonly client: string;
  readonly format: string;
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
  const tool = toolFormat(format);
  const data =
    tool === undefined
      ? await renderBundle(bundle, format as BundleFormat, { now, passphrase })
      : (await tool.load()).archive(bundle, client, directory ?? '', now);
  const key = bundle.key !== undefined;
  const exported = { client: name, format, hosts: bundle.hosts.map((host) => host.name), key };
  if (global.dryRun) return { ...exported, file: undefined };
  const path = await writeOut({ ...file, data });
  if (key) await rememberCopy(store, name, { format, hosts: options.hosts, file: path, directory }, runtime.now());
  return { ...exported, file: path };
}

/** Fails with E_USAGE (exit 2) without --out, and for a tool without --directory. */
function checkedOut(name: string, { out, format = 'tar', directory }: ExportOptions): string {
  const tool = toolFormat(format);
  if (out === undefined)
    throw usage('--out is missing', [
      `docker-tls client export ${name} --out ${name}.${tool === undefined ? format : 'tar'}`,
    ]);
  if (tool !== undefined && !/^(?:\/|[A-Za-z]:\\)/.test(directory ?? ''))
    throw usage(`${format} needs to know where the files will be: an absolute --directory`, [
      `docker-tls client export ${name} --format ${format} --directory /etc/docker-client --out ${out}`,
    ]);
  if (tool === undefined && directory !== undefined)
    throw usage(`--directory is for the archive of a tool, not for ${format}`, [
      `--format ${FORMATS.all.map(({ name: one }) => one).join('|')}`,
    ]);
  return out;
}
