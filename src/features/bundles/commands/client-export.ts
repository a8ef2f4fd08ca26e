/** `client export`: a client as one file for another machine, a keychain, Java or a CI system. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { FILE, OUT_OPTIONS } from '../../../cli/host-options.ts';
import { exportPassphrase } from '../../../core/actions/given-secrets.ts';
import { checkOut, writeOut } from '../../../core/actions/input-output.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { rememberCopy } from '../../../core/actions/remember-copy.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { clientOf } from '../../../core/domain/trust/resolve.ts';
import { FORMATS, toolFormat } from '../../../core/seams/formats.ts';
import { offeredLines } from '../../../core/seams/seam.ts';
import { usage } from '../../../errors/errors.ts';
import { BUNDLE_FORMATS, type BundleFormat, clientBundle, renderBundle } from '../actions/client-bundle.ts';

export type ClientExportDocument = {
  readonly client: string;
  readonly format: string;
  /** Named in the file. */
  readonly hosts: readonly string[];
  /** The file holds the private key. */
  readonly key: boolean;
  /** Its path; absent on standard output and in a dry run. */
  readonly file?: string;
  readonly dryRun?: true;
};

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'tar: for `docker-tls client import` on the other computer. p12: PKCS#12 under a passphrase, for keychains, browsers and Java. env: lines for the secrets of a CI system. pem: key, certificate and CA in one text.\nThe name of a tool: a tar archive of the three files and the configuration, for a computer without docker-tls; --directory says where they will be there.\nThe file is written 0600. Anyone with the file can act as the client: send it as you would send a password.',
  examples: [
    'docker-tls client export ci --out ci.tar',
    'docker-tls client export ci --format p12 --out ci.p12',
    ...offeredLines(
      FORMATS,
      'docker-tls client export ci --format prometheus --directory /etc/prometheus/docker --out ci.tar',
    ),
    'docker-tls client export ci --format env --hosts build-1 --out - | gh secret set --env-file -',
  ],
  args: { name: { summary: 'the client', required: true, completes: 'client' } },
  options: {
    ...OUT_OPTIONS,
    format: {
      kind: 'choice',
      choices: [...BUNDLE_FORMATS, ...FORMATS.all.map(({ name }) => name)],
      summary: 'form of the file (default: tar)',
    },
    directory: {
      kind: 'text',
      value: 'DIR',
      summary: 'of a tool: where the files will be on its computer (absolute)',
    },
    hosts: {
      kind: 'list',
      value: 'NAME',
      summary: 'name these hosts in it (default: all that accept it)',
      completes: 'host',
    },
    passphraseFile: { ...FILE, summary: 'read the passphrase of a PKCS#12 file from a file' },
  },
  async run(context): Promise<CommandResult<ClientExportDocument>> {
    const { global, runtime, options } = context;
    const { format = 'tar', replace, directory } = options;
    const client = context.args.name;
    const out = checkedOut(client, options);
    const file = { runtime, global, out, replace, binary: format === 'p12' };
    checkOut(file, true);
    const store = storeOf(context);
    const state = await store.read();
    const stored = clientOf(state, client);
    const bundle = clientBundle(state, stored, options.hosts);
    const now = runtime.now();
    const passphrase = () => exportPassphrase(options.passphraseFile, 'Passphrase for the file:', context);
    const tool = toolFormat(format);
    const naming = (host: string) => `docker-tls client export ${client} --format ${format} --hosts ${host}`;
    const data =
      tool === undefined
        ? await renderBundle(bundle, format as BundleFormat, { now, passphrase })
        : (await tool.load()).archive(stored, { hosts: bundle.hosts, directory: directory ?? '', naming }, now);
    const key = bundle.key !== undefined;
    const hosts = bundle.hosts.map((host) => host.name);
    const result = { client, format, hosts, key };
    if (global.dryRun) return { exit: 0, result: { ...result, dryRun: true }, text: `would write ${out}` };
    const path = await writeOut({ ...file, data });
    const copy = { format, hosts: options.hosts, file: path, directory };
    if (key) await rememberCopy(store, 'docker-tls client export', client, copy, runtime.now());
    if (path === '-') return { exit: 0, result, text: '' };
    const next = tool === undefined ? NEXT[format as BundleFormat](out) : unpacking(tool.file, out, directory ?? '');
    const written = `${path}: client ${client}${key ? ', with its private key' : ', without a key'}; hosts: ${hosts.join(', ') || 'none'}`;
    const warning =
      format === 'env' && hosts.length > 1
        ? 'DOCKER_HOST is not in it, for there are several hosts: choose one with --hosts\n'
        : '';
    return { exit: 0, result: { ...result, file: path }, text: `${written}\n${warning}\n  ${next}` };
  },
});

/** Fails with E_USAGE (exit 2) without --out, and for a tool without --directory. */
function checkedOut(
  name: string,
  { out, format = 'tar', directory }: Readonly<Record<'out' | 'format' | 'directory', string | undefined>>,
): string {
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
      `docker-tls client export ${name} --format ${format} --out ${out}`,
    ]);
  return out;
}

const NEXT: Readonly<Record<BundleFormat, (file: string) => string>> = {
  tar: (file) => `on the other computer: docker-tls client import ${file}`,
  p12: (file) => `keytool -list -keystore ${file} -storetype PKCS12`,
  env: () => 'in a CI job, with these as secrets: docker-tls client import --from-env',
  pem: (file) => `curl --cert ${file} --cacert ca.pem https://HOST:2376/version`,
};

function unpacking(configuration: string, file: string, directory: string): string {
  const there = shellQuote(directory);
  return `on its computer: install -d -m 700 ${there} && tar -C ${there} -xf ${file}   # ${configuration} is the configuration`;
}
