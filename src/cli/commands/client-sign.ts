/** Owns `client sign`: papers for a key that stays with its owner. */

import { DockerTlsError } from '../../errors.ts';
import { parseCsr } from '../../pki/csr.ts';
import { inspectCertificate } from '../../pki/inspect.ts';
import { dateWords } from '../../words.ts';
import { clientAccess } from '../../workflows/client-access.ts';
import { bundleOf, renderBundle } from '../../workflows/client-bundle.ts';
import { defineCommand } from '../command.ts';
import { checkOut, OUT_OPTIONS, readIn, writeOut } from '../files.ts';
import { startStored } from '../fleet-session.ts';
import { CA_OPTIONS, clientSpec, HOST_OPTIONS } from '../host-options.ts';
import { usage } from '../options.ts';

export const command = defineCommand({
  name: 'client sign',
  summary: 'Sign a colleague’s request; the key stays with its owner',
  about:
    'The request comes from `docker-tls client request`, or from openssl. The bundle that comes out holds no key, and only the computer that asked can use it.\nWhat the request says is its sender’s word: look at the name, or give one with --name.',
  examples: [
    'docker-tls client sign ann.csr --out ann.tar',
    'docker-tls client sign ann.csr --name ann-laptop --days 90 --out ann.tar',
  ],
  args: { file: { summary: 'the request (PEM); - is standard input', required: true, completes: 'file' } },
  options: {
    ...OUT_OPTIONS,
    ...CA_OPTIONS,
    name: { kind: 'text', value: 'NAME', summary: 'name of the client; default: as the request says' },
    days: HOST_OPTIONS.days,
    hosts: { kind: 'list', value: 'NAME', summary: 'hosts that accept it; default: all', completes: 'host' },
  },
  async run(context) {
    const { args, options, global, runtime } = context;
    const csr = (await readIn(args.file, runtime.cwd)).toString('utf8');
    const asked = parseCsr(csr);
    const name = options.name ?? asked.commonName;
    if (name === '') throw usage('the request has no name in it', ['--name NAME']);
    const out = options.out ?? `${name}.tar`;
    const file = { runtime, global, out, replace: options.replace };
    checkOut(file, false);
    const first = await startStored(context, options, 'client sign');
    requireHosts(options.hosts, first.session.state.hosts);
    const known = first.session.state.clients.get(name);
    const days = options.days ?? known?.record.days;
    const spec = {
      ...clientSpec(name, days === undefined ? {} : { days }),
      ...(options.hosts.length > 0 ? { hosts: options.hosts } : {}),
    };
    if (global.dryRun) return { exit: 0, result: { client: name, dryRun: true }, text: `would sign for ${name}` };
    return first.session.store.withLock('docker-tls client sign', async () => {
      const { keyring, store } = (await startStored(context, options, 'client sign', first.session.store)).session;
      const client = await keyring.signRequest(spec, csr);
      await store.write(keyring.change());
      const state = await store.read();
      const bundle = bundleOf(state, client);
      const data = await renderBundle(bundle, 'tar', {
        now: runtime.now(),
        passphrase: () => Promise.reject(new Error('tar')),
      });
      const path = await writeOut({ ...file, data });
      const { notAfter } = inspectCertificate(client.cert);
      const behind = clientAccess(state, runtime.now()).find((one) => one.name === name)?.toAdd ?? [];
      const result = {
        client: name,
        expires: notAfter.toISOString(),
        hosts: bundle.hosts.map((host) => host.name),
        apply: behind,
        ...(path === '-' ? {} : { file: path }),
      };
      if (path === '-') return { exit: 0, result, text: '' };
      const renamed = name === asked.commonName ? '' : ` (the request said ${asked.commonName || 'nothing'})`;
      const lines = [
        `${path}: papers for ${name}${renamed}, until ${dateWords(notAfter)}, without a key`,
        '',
        `where the request was made:  docker-tls client import ${options.out ?? out}`,
        ...(behind.length > 0 ? [`before that, here:           docker-tls apply ${behind.join(' ')}`] : []),
      ];
      return { exit: 0, result, text: lines.join('\n') };
    });
  },
});

/** An unknown host here is a typing error, and would lock the client out of what was meant. */
function requireHosts(names: readonly string[], hosts: ReadonlyMap<string, unknown>): void {
  const unknown = names.filter((name) => !hosts.has(name));
  if (unknown.length === 0) return;
  throw new DockerTlsError({
    code: 'E_HOST_UNKNOWN',
    exit: 2,
    message: `no host ${unknown.join(', ')} in the store`,
    hints: ['docker-tls status --offline'],
  });
}
