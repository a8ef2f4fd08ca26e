/** Owns `client export`: a client as one file for another computer, a keychain, Java or a CI system. */

import { resolve } from 'node:path';
import { BUNDLE_FORMATS, type BundleFormat, bundleOf, clientOf, renderBundle } from '../../actions/client-bundle.ts';
import { checkOut, writeOut } from '../../actions/files.ts';
import { readSecretFile } from '../../actions/secrets.ts';
import { storeOf } from '../../actions/store.ts';
import { accessThere, packTool, rememberCopy } from '../../actions/tool-config.ts';
import type { ClientBundle } from '../../adapters/docker/bundle.ts';
import type { StoredClient } from '../../adapters/store/records.ts';
import { shellQuote } from '../../domain/quote.ts';
import type { Secret } from '../../domain/secret.ts';
import { fileOf, isTool, TOOLS, type ToolName } from '../../domain/tools/tools.ts';
import { DockerTlsError, usage } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { OUT_OPTIONS } from '../host-options.ts';

export const command = defineCommand({
  name: 'client export',
  withoutFleet: true,
  summary: 'A client as one file for another computer, a keychain or CI',
  about:
    'tar: for `docker-tls client import` on the other computer. p12: PKCS#12 under a passphrase, for keychains, browsers and Java. env: lines for the secrets of a CI system. pem: key, certificate and CA in one text.\nThe name of a tool: a tar archive of the three files and the configuration, for a computer without docker-tls; --directory says where they will be there.\nThe file is written 0600. Anyone with the file can act as the client: send it as you would send a password.',
  examples: [
    'docker-tls client export ci --out ci.tar',
    'docker-tls client export ci --format p12 --out ci.p12',
    'docker-tls client export ci --format prometheus --directory /etc/prometheus/docker --out ci.tar',
    'docker-tls client export ci --format env --hosts build-1 --out - | gh secret set --env-file -',
  ],
  args: { name: { summary: 'the client', required: true, completes: 'client' } },
  options: {
    ...OUT_OPTIONS,
    format: { kind: 'choice', choices: [...BUNDLE_FORMATS, ...TOOLS], summary: 'default tar' },
    directory: {
      kind: 'text',
      value: 'DIR',
      summary: 'of a tool: where the files will be on its computer (absolute)',
    },
    hosts: {
      kind: 'list',
      value: 'NAME',
      summary: 'name these hosts in it; default: all that accept it',
      completes: 'host',
    },
    passphraseFile: {
      kind: 'text',
      value: 'FILE',
      summary: 'read the passphrase of a PKCS#12 file from a file',
      completes: 'file',
    },
  },
  async run({ args, options, global, runtime, prompts }) {
    const format = options.format ?? 'tar';
    if (options.out === undefined)
      throw usage('--out is missing', [
        `docker-tls client export ${args.name} --out ${args.name}.${isTool(format) ? 'tar' : format}`,
      ]);
    const { directory } = options;
    if (isTool(format) && !/^(?:\/|[A-Za-z]:\\)/.test(directory ?? ''))
      throw usage(`${format} needs to know where the files will be: an absolute --directory`, [
        `docker-tls client export ${args.name} --format ${format} --directory /etc/docker-client --out ${options.out}`,
      ]);
    if (!isTool(format) && directory !== undefined)
      throw usage(`--directory is for the archive of a tool, not for ${format}`, [`--format ${TOOLS.join('|')}`]);
    const binary = format === 'p12';
    const file = { runtime, global, out: options.out, replace: options.replace, binary };
    checkOut(file, true);
    const store = storeOf({ global, runtime });
    const state = await store.read();
    const client = clientOf(state, args.name);
    const bundle = bundleOf(state, client, options.hosts);
    const passphrase = (): Promise<Secret> =>
      options.passphraseFile === undefined
        ? prompts.password({ message: 'Passphrase for the file:', confirm: true, flag: '--passphrase-file FILE' })
        : readSecretFile(resolve(runtime.cwd, options.passphraseFile), '--passphrase-file');
    const data = isTool(format)
      ? toolArchive(format, bundle, client, directory ?? '', runtime.now())
      : await renderBundle(bundle, format, { now: runtime.now(), passphrase });
    const hosts = bundle.hosts.map((host) => host.name);
    const result = { client: args.name, format, hosts, key: bundle.key !== undefined };
    if (global.dryRun) return { exit: 0, result: { ...result, dryRun: true }, text: `would write ${options.out}` };
    const path = await writeOut({ ...file, data });
    const copy = { format, hosts: options.hosts, file: path, ...(directory === undefined ? {} : { directory }) };
    if (bundle.key !== undefined) await rememberCopy(store, args.name, copy, runtime.now());
    if (path === '-') return { exit: 0, result, text: '' };
    const next = isTool(format) ? unpacking(format, options.out, directory ?? '') : NEXT[format](options.out);
    const said = `${path}: client ${args.name}${bundle.key ? ', with its private key' : ', without a key'}; hosts: ${hosts.join(', ') || 'none'}`;
    const warning =
      format === 'env' && hosts.length > 1
        ? 'DOCKER_HOST is not in it, for there are several hosts: choose one with --hosts\n'
        : '';
    return { exit: 0, result: { ...result, file: path }, text: `${said}\n${warning}\n  ${next}` };
  },
});

const NEXT: Readonly<Record<BundleFormat, (file: string) => string>> = {
  tar: (file) => `on the other computer: docker-tls client import ${file}`,
  p12: (file) => `keytool -list -keystore ${file} -storetype PKCS12`,
  env: () => 'docs/clients.md shows how a job takes the lines in',
  pem: (file) => `curl --cert ${file} --cacert ca.pem https://HOST:2376/version`,
};

function unpacking(tool: ToolName, file: string, directory: string): string {
  const there = shellQuote(directory);
  return `on its computer: install -d -m 700 ${there} && tar -C ${there} -xf ${file}   # ${fileOf(tool)} is the configuration`;
}

function toolArchive(tool: ToolName, bundle: ClientBundle, client: StoredClient, directory: string, now: Date): Secret {
  const [first, ...others] = bundle.hosts.map((host) => accessThere(host, bundle.client, directory));
  if (first !== undefined) return packTool(tool, [first, ...others], client, now);
  throw new DockerTlsError({
    code: 'E_CLIENT_NOT_ACCEPTED',
    where: bundle.client,
    message: `no host accepts this client, so ${tool} would have no host`,
    hints: ['docker-tls client list'],
  });
}
