/** Owns `client export`: a client as one file for another computer, a keychain, Java or a CI system. */

import { resolve } from 'node:path';
import { BUNDLE_FORMATS, bundleOf, clientOf, renderBundle } from '../../actions/client-bundle.ts';
import type { Secret } from '../../domain/secret.ts';
import { defineCommand } from '../command.ts';
import { checkOut, OUT_OPTIONS, writeOut } from '../files.ts';
import { usage } from '../options.ts';
import { readSecretFile } from '../secrets.ts';
import { storeOf } from '../store.ts';

export const command = defineCommand({
  name: 'client export',
  withoutFleet: true,
  summary: 'A client as one file for another computer, a keychain or CI',
  about:
    'tar: for `docker-tls client import` on the other computer. p12: PKCS#12 under a passphrase, for keychains, browsers and Java. env: lines for the secrets of a CI system. pem: key, certificate and CA in one text.\nThe file is written 0600. Whoever has it is the client: send it as you would send a password.',
  examples: [
    'docker-tls client export ci --out ci.tar',
    'docker-tls client export ci --format p12 --out ci.p12',
    'docker-tls client export ci --format env --hosts build-1 --out - | gh secret set --env-file -',
  ],
  args: { name: { summary: 'the client', required: true, completes: 'client' } },
  options: {
    ...OUT_OPTIONS,
    format: { kind: 'choice', choices: BUNDLE_FORMATS, summary: 'default tar' },
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
      throw usage('--out is missing', [`docker-tls client export ${args.name} --out ${args.name}.${format}`]);
    const file = { runtime, global, out: options.out, replace: options.replace, binary: format === 'p12' };
    checkOut(file, true);
    const state = await storeOf({ global, runtime }).read();
    const bundle = bundleOf(state, clientOf(state, args.name), options.hosts);
    const passphrase = (): Promise<Secret> =>
      options.passphraseFile === undefined
        ? prompts.password({ message: 'Passphrase for the file:', confirm: true, flag: '--passphrase-file FILE' })
        : readSecretFile(resolve(runtime.cwd, options.passphraseFile), '--passphrase-file');
    const data = await renderBundle(bundle, format, { now: runtime.now(), passphrase });
    const hosts = bundle.hosts.map((host) => host.name);
    const result = { client: args.name, format, hosts, key: bundle.key !== undefined };
    if (global.dryRun) return { exit: 0, result: { ...result, dryRun: true }, text: `would write ${options.out}` };
    const path = await writeOut({ ...file, data });
    if (path === '-') return { exit: 0, result, text: '' };
    const next = {
      tar: `on the other computer: docker-tls client import ${options.out}`,
      p12: `keytool -list -keystore ${options.out} -storetype PKCS12`,
      env: 'docs/clients.md shows how a job takes the lines in',
      pem: `curl --cert ${options.out} --cacert ca.pem https://HOST:2376/version`,
    }[format];
    const said = `${path}: client ${args.name}${bundle.key ? ', with its private key' : ', without a key'}; hosts: ${hosts.join(', ') || 'none'}`;
    const warning =
      format === 'env' && hosts.length > 1
        ? 'DOCKER_HOST is not in it, for there are several hosts: choose one with --hosts\n'
        : '';
    return { exit: 0, result: { ...result, file: path }, text: `${said}\n${warning}\n  ${next}` };
  },
});
