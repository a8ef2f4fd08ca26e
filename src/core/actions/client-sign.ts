/** `client sign`: credentials for a key that stays with its owner. */

import { usage } from '../../errors/errors.ts';
import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import { parseCsr } from '../domain/pki/csr.ts';
import { inspectCertificate, isFrom } from '../domain/pki/inspect.ts';
import type { HostSpec } from '../domain/settings.ts';
import { certificateIds } from '../domain/trust/ca-id.ts';
import { firstCa, preview, specsOf, type Wanted } from '../domain/trust/changes.ts';
import { clientAccess } from '../domain/trust/client-hosts.ts';
import { requireHosts, signed } from '../domain/trust/clients.ts';
import { isAccepted } from '../domain/trust/trust.ts';
import { trustedIds, viewOf } from '../domain/trust/view.ts';
import { listWords } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { ActionContext } from './action-context.ts';
import { type AccessOptions, askAboutHosts, tellHosts } from './client-access.ts';
import { bundleOf, renderBundle } from './client-bundle.ts';
import { checkOut, type OutOptions, readIn, writeOut } from './files.ts';
import { clientSpec } from './flags.ts';
import { type Changed, exitOfChange } from './results.ts';
import { openStoredRun } from './run.ts';

export type SignOptions = AccessOptions &
  OutOptions & {
    readonly name: string | undefined;
    readonly days: number | undefined;
    readonly hosts: readonly string[];
  };

export type Signed = {
  readonly changed: Changed;
  readonly client: string;
  /** The common name in the request. */
  readonly commonName: string;
  /** The new bundle; undefined for a dry run, and if a host that must reject the client could accept it. */
  readonly bundle: SignedBundle | undefined;
};

export type SignedBundle = {
  readonly expires: Date;
  readonly hosts: readonly string[];
  /** Hosts that do not accept the client yet. */
  readonly apply: readonly string[];
  /** The certificate is from an old CA: not all of its hosts accept the new one. */
  readonly old: boolean;
  /** The name as given, and its absolute path; `-` is standard output. */
  readonly out: string;
  readonly path: string;
};

export async function signClient(context: ActionContext, request: string, options: SignOptions): Promise<Signed> {
  const { global, runtime } = context;
  const { days: _, name: __, hosts: ___, ...about } = options;
  const csr = (await readIn(request, runtime.cwd)).toString('utf8');
  const { commonName } = parseCsr(csr);
  const name = options.name ?? commonName;
  if (name === '') throw usage('the request has no name in it', ['--name NAME']);
  const out = options.out ?? `${name}.tar`;
  const file = { runtime, global, out, replace: options.replace };
  checkOut(file, false);
  const { run, state, flags, ca } = await openStoredRun(context, about);
  const days = options.days ?? state.clients.get(name)?.record.days;
  const spec = { ...clientSpec(name, { days }), hosts: options.hosts.length > 0 ? options.hosts : undefined };
  const rejectOthers = options.rejectOtherClients;
  // Changes hosts that would accept the client against its record; leaves hosts that do not accept it yet to `apply`.
  const want = (latest: StoreState, now: Date): Wanted => {
    requireHosts(options.hosts, latest);
    const one = signed(latest, spec, csr, now);
    const wanted = tellHosts(latest, [...firstCa(latest.ca, ca), one], { flags, rejectOthers, now });
    const view = preview(viewOf(latest, now), wanted.credentials);
    const ids = [...trustedIds(view), ...(view.issuers.get(name)?.ids ?? [])];
    const isTrusted = (host: HostSpec) =>
      certificateIds(latest.hosts.get(host.name)?.ca ?? '').some((id) => ids.includes(id));
    const rejects = (host: HostSpec) => !isAccepted(one.record, host) && isTrusted(host);
    return specsOf(wanted).some(rejects) ? wanted : { ...wanted, hosts: [], notes: [], leftOut: [] };
  };
  const changed = await change({ reason: 'client sign', want, question: askAboutHosts }, run);
  // Before the certificate is handed out: afterwards it is too late to tell a host to reject it.
  if (changed.planned !== undefined || exitOfChange(changed, runtime.signal) !== 0)
    return { changed, client: name, commonName, bundle: undefined };
  const after = await run.store.read();
  const client = after.clients.get(name) as StoredClient;
  const bundle = bundleOf(after, client);
  const now = runtime.now();
  const passphrase = () => Promise.reject(new Error('tar'));
  const path = await writeOut({ ...file, data: await renderBundle(bundle, 'tar', { now, passphrase }) });
  const apply = clientAccess(after, now).find((one) => one.name === name)?.toAdd ?? [];
  // Standard output is reserved for the bundle.
  if (path === '-' && apply.length > 0)
    context.progress.note(`${unapplied(name, apply)} First, here: docker-tls apply ${apply.join(' ')}`);
  return {
    changed,
    client: name,
    commonName,
    bundle: {
      expires: inspectCertificate(client.cert).notAfter,
      hosts: bundle.hosts.map((host) => host.name),
      apply,
      old: !isFrom(client.cert, after.ca?.cert ?? '', 'client', now),
      out,
      path,
    },
  };
}

/** Hosts with a list of clients accept a new one only after a change. */
export function unapplied(client: string, hosts: readonly string[]): string {
  return `${listWords(hosts, 12)} ${hosts.length === 1 ? 'rejects' : 'reject'} ${client} until that is applied.`;
}
