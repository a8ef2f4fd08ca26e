/** Owns `client sign`: credentials for a key that stays with its owner. */

import { bundleOf, renderBundle } from '../../actions/client-bundle.ts';
import { parseCsr } from '../../domain/pki/csr.ts';
import { inspectCertificate } from '../../domain/pki/inspect.ts';
import { isFrom } from '../../domain/trust/trust.ts';
import { dateWords } from '../../domain/words.ts';
import { accessOf, requireHosts } from '../../engine/access.ts';
import { clientAccess } from '../../engine/client-access.ts';
import { defineCommand } from '../command.ts';
import { checkOut, OUT_OPTIONS, readIn, writeOut } from '../files.ts';
import { startStored } from '../fleet-session.ts';
import { CA_OPTIONS, CLIENT_OPTIONS, clientSpec } from '../host-options.ts';
import { usage } from '../options.ts';
import { type AccessChanged, changeAccess, ROTATE_OPTIONS } from '../rotate.ts';

export const command = defineCommand({
  name: 'client sign',
  summary: "Sign a colleague's request; the key stays with its owner",
  about:
    "The request comes from `docker-tls client request`, or from openssl. The bundle that comes out holds no key, and only the computer that asked can use it.\nWhat the request says is its sender's word: look at the name, or give one with --name.\nWith --hosts, hosts that would accept it all the same are changed first, as by apply; until that is done no credentials are written.",
  examples: [
    'docker-tls client sign ann.csr --out ann.tar',
    'docker-tls client sign ann.csr --name ann-laptop --days 90 --out ann.tar',
    'docker-tls client sign ann.csr --hosts build-1 --out ann.tar',
  ],
  args: { file: { summary: 'the request (PEM); - is standard input', required: true, completes: 'file' } },
  options: {
    ...OUT_OPTIONS,
    ...CA_OPTIONS,
    ...ROTATE_OPTIONS,
    name: { kind: 'text', value: 'NAME', summary: 'name of the client; default: as the request says' },
    days: CLIENT_OPTIONS.days,
    hosts: { kind: 'list', value: 'NAME', summary: 'hosts that accept it; default: all', completes: 'host' },
  },
  async run(context) {
    const { args, options, global, runtime } = context;
    const csr = (await readIn(args.file, runtime.cwd)).toString('utf8');
    const requested = parseCsr(csr);
    const name = options.name ?? requested.commonName;
    if (name === '') throw usage('the request has no name in it', ['--name NAME']);
    const out = options.out ?? `${name}.tar`;
    const file = { runtime, global, out, replace: options.replace };
    checkOut(file, false);
    const first = await startStored(context, options, 'client sign');
    requireHosts(options.hosts, first.session.state);
    const known = first.session.state.clients.get(name);
    const days = options.days ?? known?.record.days;
    const spec = {
      ...clientSpec(name, days === undefined ? {} : { days }),
      ...(options.hosts.length > 0 ? { hosts: options.hosts } : {}),
    };
    if (global.dryRun) return { exit: 0, result: { client: name, dryRun: true }, text: `would sign for ${name}` };
    return first.session.store.withLock('docker-tls client sign', async () => {
      const run = await startStored(context, options, 'client sign', first.session.store);
      const { keyring, state, store } = run.session;
      const client = await keyring.signRequest(spec, csr);
      const after = { ...state, clients: new Map([...state.clients, [name, { ...client, directory: '' }]]) };
      const access = clientAccess(after, runtime.now()).find((one) => one.name === name);
      const outdated = access?.toAdd ?? [];
      let changed: AccessChanged | undefined;
      if (access !== undefined && access.toDrop.length > 0) {
        // Once the credentials are out, nobody can see to it any more that a host which must not take them knows that.
        changed = await changeAccess(context, {
          run,
          question: (hosts) => `${name} must not get in everywhere. Change who is accepted on ${hosts}?`,
          canary: options.canary,
          maxFailures: options.maxFailures,
        });
        if (changed.exit !== 0) {
          const ending = `No credentials were written: ${name} could get in where it must not. Fix the hosts that failed, then run the same command again.`;
          return { ...changed, text: [changed.text, ending].join('\n\n') };
        }
      } else {
        await accessOf(run.session);
        await store.write(keyring.change());
      }
      const bundle = bundleOf(await store.read(), client);
      const data = await renderBundle(bundle, 'tar', {
        now: runtime.now(),
        passphrase: () => Promise.reject(new Error('tar')),
      });
      const path = await writeOut({ ...file, data });
      const { notAfter } = inspectCertificate(client.cert);
      const apply = changed === undefined ? outdated : [];
      const old = !isFrom(client.cert, await keyring.caCert(), 'client', runtime.now());
      const result = {
        client: name,
        expires: notAfter.toISOString(),
        hosts: bundle.hosts.map((host) => host.name),
        apply,
        ...(old ? { oldCa: true } : {}),
        changed: changed?.hosts ?? [],
        ...(path === '-' ? {} : { file: path }),
      };
      if (path === '-') return { exit: 0, result, text: '' };
      const renamed = name === requested.commonName ? '' : ` (the request said ${requested.commonName || 'nothing'})`;
      const lines = [
        ...(changed === undefined ? [] : [changed.text, '']),
        `${path}: credentials for ${name}${renamed}, until ${dateWords(notAfter)}, without a key`,
        ...(old ? ['They are of the old CA, for its hosts do not all accept the new one yet.'] : []),
      ];
      const next = [
        `where the request was made:  docker-tls client import ${options.out ?? out}`,
        ...(apply.length > 0 ? [`before that, here:           docker-tls apply ${apply.join(' ')}`] : []),
        ...(old ? ['then sign it once more, after: docker-tls rotate ca'] : []),
      ];
      return { exit: 0, result, text: lines.join('\n'), next };
    });
  },
});
