/** Owns `client sign`: credentials for a key that stays with its owner. */

import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import type { HostFlags } from '../domain/fleet/specs.ts';
import { parseCsr } from '../domain/pki/csr.ts';
import { inspectCertificate, isFrom } from '../domain/pki/inspect.ts';
import type { CaSpec, ClientSpec, HostSpec } from '../domain/settings.ts';
import { certificateIds } from '../domain/trust/ca-id.ts';
import { firstCa, preview } from '../domain/trust/changes.ts';
import { clientAccess } from '../domain/trust/client-hosts.ts';
import { requireHosts, signed } from '../domain/trust/clients.ts';
import { isAccepted } from '../domain/trust/trust.ts';
import { trustedIds, viewOf } from '../domain/trust/view.ts';
import { change } from '../engine/change.ts';
import type { Run, Wanted } from '../engine/intent.ts';
import { usage } from '../errors/errors.ts';
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
  /** The name in the request. */
  readonly commonName: string;
  /** The bundle that was written; undefined of a dry run, and where a host that must reject the client could accept it. */
  readonly bundle: SignedBundle | undefined;
};

export type SignedBundle = {
  readonly expires: Date;
  readonly hosts: readonly string[];
  /** Hosts that do not accept the client yet. */
  readonly apply: readonly string[];
  /** The certificate is of an old CA: not all of its hosts accept the new one. */
  readonly old: boolean;
  /** As it was named, and absolute; `-` is standard output. */
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
  const changed = await sign({ spec, csr, ca, flags, rejectOthers: options.rejectOtherClients }, run);
  // Once the certificate is out, it is too late to tell a host that must not accept it.
  if (changed.planned !== undefined || exitOfChange(changed, runtime.signal) !== 0)
    return { changed, client: name, commonName, bundle: undefined };
  const after = await run.store.read();
  const client = after.clients.get(name) as StoredClient;
  const bundle = bundleOf(after, client);
  const now = runtime.now();
  const passphrase = () => Promise.reject(new Error('tar'));
  const path = await writeOut({ ...file, data: await renderBundle(bundle, 'tar', { now, passphrase }) });
  return {
    changed,
    client: name,
    commonName,
    bundle: {
      expires: inspectCertificate(client.cert).notAfter,
      hosts: bundle.hosts.map((host) => host.name),
      apply: clientAccess(after, now).find((one) => one.name === name)?.toAdd ?? [],
      old: !isFrom(client.cert, after.ca?.cert ?? '', 'client', now),
      out,
      path,
    },
  };
}

type SignRequest = {
  readonly spec: ClientSpec;
  /** PEM. */
  readonly csr: string;
  readonly ca: CaSpec;
  readonly flags: HostFlags;
  readonly rejectOthers: boolean;
};

/** Hosts that would accept the client against its record are changed; those that do not accept it yet are left to `apply`. */
function sign({ spec, csr, ca, ...about }: SignRequest, run: Run): Promise<Changed> {
  const want = (state: StoreState, now: Date): Wanted => {
    requireHosts(spec.hosts ?? [], state);
    const one = signed(state, spec, csr, now);
    const wanted = tellHosts(state, [...firstCa(state.ca, ca), one], { ...about, now });
    const view = preview(viewOf(state, now), wanted.credentials);
    const ids = [...trustedIds(view), ...(view.issuers.get(spec.name)?.ids ?? [])];
    const isTrusted = ({ name }: HostSpec) =>
      certificateIds(state.hosts.get(name)?.ca ?? '').some((id) => ids.includes(id));
    const rejects = (host: HostSpec) => !isAccepted(one.record, host) && isTrusted(host);
    return wanted.hosts.some(rejects) ? wanted : { ...wanted, hosts: [], notes: [], leftOut: [] };
  };
  return change({ reason: 'client sign', want, question: askAboutHosts }, run);
}
