/** Owns `client sign`: credentials for a key that stays with its owner. */

import { signClient } from '../../actions/client-access.ts';
import { bundleOf, renderBundle } from '../../actions/client-bundle.ts';
import { checkOut, readIn, writeOut } from '../../actions/files.ts';
import { clientSpec } from '../../actions/flags.ts';
import { openStoredRun } from '../../actions/run.ts';
import type { StoredClient } from '../../adapters/store/records.ts';
import { parseCsr } from '../../domain/pki/csr.ts';
import { inspectCertificate } from '../../domain/pki/inspect.ts';
import { clientAccess } from '../../domain/trust/client-hosts.ts';
import { isFrom } from '../../domain/trust/trust.ts';
import { dateWords } from '../../domain/words.ts';
import { usage } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { CA_OPTIONS, CLIENT_OPTIONS, OUT_OPTIONS, STORED_OPTIONS } from '../host-options.ts';
import { renderChange } from '../render/change.ts';

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
    ...STORED_OPTIONS,
    name: { kind: 'text', value: 'NAME', summary: 'name of the client; default: as the request says' },
    days: CLIENT_OPTIONS.days,
    hosts: { kind: 'list', value: 'NAME', summary: 'hosts that accept it; default: all', completes: 'host' },
  },
  async run(context) {
    const { args, options, global, runtime } = context;
    const { days: _, name: __, hosts: ___, ...about } = options;
    const csr = (await readIn(args.file, runtime.cwd)).toString('utf8');
    const requested = parseCsr(csr);
    const name = options.name ?? requested.commonName;
    if (name === '') throw usage('the request has no name in it', ['--name NAME']);
    const out = options.out ?? `${name}.tar`;
    const file = { runtime, global, out, replace: options.replace };
    checkOut(file, false);
    const { run, state, flags, ca } = await openStoredRun(context, about);
    const days = options.days ?? state.clients.get(name)?.record.days;
    const spec = {
      ...clientSpec(name, days === undefined ? {} : { days }),
      ...(options.hosts.length > 0 ? { hosts: options.hosts } : {}),
    };
    const changed = await signClient({ spec, csr, ca, flags, rejectOthers: options.rejectOtherClients }, run);
    const rendered = renderChange(changed, context);
    if (changed.planned !== undefined) return { ...rendered, result: { client: name, ...(rendered.result as object) } };
    // Once the certificate is out, it is too late to tell a host that must not accept it.
    if (rendered.exit !== 0) {
      const ending = `No certificate was written: a host that must reject ${name} could accept it. Fix the hosts that failed, then run the same command again.`;
      return { ...rendered, text: [rendered.text, ending].join('\n\n') };
    }
    const after = await run.store.read();
    const client = after.clients.get(name) as StoredClient;
    const bundle = bundleOf(after, client);
    const data = await renderBundle(bundle, 'tar', {
      now: runtime.now(),
      passphrase: () => Promise.reject(new Error('tar')),
    });
    const path = await writeOut({ ...file, data });
    const { notAfter } = inspectCertificate(client.cert);
    const apply = clientAccess(after, runtime.now()).find((one) => one.name === name)?.toAdd ?? [];
    const old = !isFrom(client.cert, after.ca?.cert ?? '', 'client', runtime.now());
    const result = {
      client: name,
      expires: notAfter.toISOString(),
      hosts: bundle.hosts.map((host) => host.name),
      apply,
      oldCa: old || undefined,
      changed: changed.results.map(({ host }) => host),
      file: path === '-' ? undefined : path,
    };
    if (path === '-') return { exit: 0, result, text: '' };
    const renamed = name === requested.commonName ? '' : ` (the request said ${requested.commonName || 'nothing'})`;
    const lines = [
      ...(rendered.text === '' ? [] : [rendered.text, '']),
      `${path}: certificate for ${name}${renamed}, until ${dateWords(notAfter)}, without a key`,
      ...(old ? ['It is of the old CA, for its hosts do not all accept the new one yet.'] : []),
    ];
    const next = [
      ...(apply.length > 0 ? [`first, here:                 docker-tls apply ${apply.join(' ')}`] : []),
      `where the request was made:  docker-tls client import ${options.out ?? out}`,
      ...(old ? ['then sign it once more, after: docker-tls rotate ca'] : []),
    ];
    return { exit: 0, result, text: lines.join('\n'), next };
  },
});
