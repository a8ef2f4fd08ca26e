/** `client sign`: credentials for a key that stays with its owner. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { CA_OPTIONS, CLIENT_OPTIONS, OUT_OPTIONS, STORED_OPTIONS } from '../../../cli/host-options.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { type AccessOptions, askAboutHosts, tellHosts } from '../../../core/actions/client-access.ts';
import { clientSpec } from '../../../core/actions/host-flags.ts';
import { checkOut, type OutOptions, readIn, writeOut } from '../../../core/actions/input-output.ts';
import { type Changed, exitOfChange } from '../../../core/actions/results.ts';
import { openStoredRun } from '../../../core/actions/run.ts';
import type { StoredClient, StoreState } from '../../../core/adapters/store/records.ts';
import { parseCsr } from '../../../core/domain/pki/csr.ts';
import { inspectCertificate, isFrom } from '../../../core/domain/pki/inspect.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import { certificateIds } from '../../../core/domain/trust/ca-id.ts';
import { firstCa, preview, specsOf, type Wanted } from '../../../core/domain/trust/changes.ts';
import { clientAccess } from '../../../core/domain/trust/client-hosts.ts';
import { requireHosts } from '../../../core/domain/trust/clients.ts';
import { isAccepted } from '../../../core/domain/trust/trust.ts';
import { trustedIds, viewOf } from '../../../core/domain/trust/view.ts';
import { dateWords, listWords } from '../../../core/domain/words.ts';
import { change } from '../../../core/engine/change.ts';
import type { ChangeDocument } from '../../../core/render/change-document.ts';
import { type RenderContext, renderChange } from '../../../core/render/change-result.ts';
import { offeredCommands } from '../../../core/seams/offered-commands.ts';
import { asWritten, usage } from '../../../errors/errors.ts';
import { clientBundle, renderBundle } from '../actions/client-bundle.ts';
import { signed } from '../domain/signed-request.ts';

/** In a dry run the plan. Where a host that must reject the client could accept it: what happened on the hosts, and no certificate. */
export type ClientSignDocument =
  | (ChangeDocument & { readonly client: string })
  | {
      readonly client: string;
      readonly expires: Date;
      /** Named in the bundle. */
      readonly hosts: readonly string[];
      /** Hosts that accept the client only after `apply`. */
      readonly apply: readonly string[];
      /** Issued by the old CA, because not all hosts accept the new one. */
      readonly oldCa?: true;
      /** Hosts that were changed first. */
      readonly changed: readonly string[];
      /** The bundle; absent on standard output. */
      readonly file?: string;
    };

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'The request comes from `docker-tls client request`, or from openssl. The bundle that comes out holds no key, and only the computer that asked can use it.\nThe sender chose the name in the request: check it, or pass --name.\nWith --hosts, hosts that would accept it all the same are changed first, as by apply; until that is done no credentials are written.',
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
    name: { kind: 'text', value: 'NAME', summary: 'name of the client (default: as the request says)' },
    days: CLIENT_OPTIONS.days,
    hosts: { kind: 'list', value: 'NAME', summary: 'hosts that accept it (default: all)', completes: 'host' },
  },
  run: async (context) => renderSigned(await signClient(context, context.args.file, context.options), context),
});

type SignOptions = AccessOptions &
  OutOptions & {
    readonly name: string | undefined;
    readonly days: number | undefined;
    readonly hosts: readonly string[];
  };

type Signed = {
  readonly changed: Changed;
  readonly client: string;
  /** The common name in the request. */
  readonly commonName: string;
  /** The new bundle; undefined for a dry run, and if a host that must reject the client could accept it. */
  readonly bundle: SignedBundle | undefined;
};

type SignedBundle = {
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

async function signClient(context: ActionContext, request: string, options: SignOptions): Promise<Signed> {
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
  const bundle = clientBundle(after, client);
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
function unapplied(client: string, hosts: readonly string[]): string {
  return `${listWords(hosts, 12)} ${hosts.length === 1 ? 'rejects' : 'reject'} ${client} until that is applied.`;
}

function renderSigned(
  { changed, client, commonName, bundle }: Signed,
  around: RenderContext,
): CommandResult<ClientSignDocument> {
  const rendered = renderChange(changed, around);
  if (changed.planned !== undefined) return { ...rendered, result: { client, ...rendered.result } };
  if (bundle === undefined) {
    const ending = `No certificate was written: a host that must reject ${client} could accept it. Fix the hosts that failed, then run the same command again.`;
    return { ...rendered, result: { client, ...rendered.result }, text: [rendered.text, ending].join('\n\n') };
  }
  const { expires, hosts, apply, old, out, path } = bundle;
  const result = {
    client,
    expires,
    hosts,
    apply,
    oldCa: old || undefined,
    changed: changed.results.map(({ host }) => host),
    file: path === '-' ? undefined : path,
  };
  if (path === '-') return { exit: 0, result, text: '' };
  const renamed = client === commonName ? '' : ` (the request said ${commonName || 'nothing'})`;
  const lines = [
    ...(rendered.text === '' ? [] : [rendered.text, '']),
    `${path}: certificate for ${client}${renamed}, until ${dateWords(expires)}, without a key`,
    ...(apply.length > 0 ? [unapplied(client, apply)] : []),
    ...(hosts.length === 0
      ? [`No host here accepts ${client}: each has a list of clients that does not name it, or none is set up.`]
      : []),
    ...(old ? ['It is of the old CA, for its hosts do not all accept the new one yet.'] : []),
  ];
  const next = [
    ...(apply.length > 0 ? [`first, here:                 docker-tls apply ${apply.join(' ')}`] : []),
    asWritten(`where the request was made:  docker-tls client import ${out}`),
    ...(old ? offeredCommands('new CA').map((one) => `then sign it once more, after: ${one}`) : []),
  ];
  return { exit: 0, result, text: lines.join('\n'), next };
}
