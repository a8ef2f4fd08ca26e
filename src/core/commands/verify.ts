/** `verify [HOST…]`: verifies over the network which clients a host accepts and rejects. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { CLIENT_OPTION, SELECTION_OPTIONS, SSH_OPTIONS } from '../../cli/host-options.ts';
import { DockerTlsError, gravestExit } from '../../errors/errors.ts';
import type { ActionContext } from '../actions/action-context.ts';
import type { SecretOptions } from '../actions/given-secrets.ts';
import { storeOf } from '../actions/open-store.ts';
import { sudoPasswords } from '../actions/run.ts';
import { type SelectionOptions, selectSpecs } from '../actions/select-hosts.ts';
import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import { errorsOf, exitOfResults, type HostResult } from '../domain/host-results.ts';
import { hasPort } from '../domain/network-port.ts';
import type { OtherCa } from '../domain/other-ca.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import type { ProbeCheck } from '../domain/plan/outcome.ts';
import { shellQuote } from '../domain/quote.ts';
import type { Secret } from '../domain/secret.ts';
import { completeHost, type HostSpec } from '../domain/settings.ts';
import { otherCas, ourFingerprints } from '../domain/trust/other-cas.ts';
import { type ReachableHost, reachableHosts, usableAt } from '../domain/trust/reachable-hosts.ts';
import { anyClient } from '../domain/trust/resolve.ts';
import { plural } from '../domain/words.ts';
import type { Reach } from '../engine/intent.ts';
import { listenerChecks, socketChecks } from '../engine/loaded-listener.ts';
import { overHosts } from '../engine/pool.ts';
import { sshOptions } from '../engine/steps/open-host.ts';
import { alongWay, wayTo, withVia } from '../engine/through.ts';
import { silenceOf, type VerifyRequest, verificationFailure, verifyHost, verifyNoPort } from '../engine/verify-host.ts';
import type { RenderContext } from '../render/change-result.ts';
import { type Colours, coloursOf } from '../render/colours.ts';
import {
  type CheckDocument,
  checkDocument,
  type FailedHostDocument,
  type OtherCaDocument,
  otherCaDocument,
  type SkippedHostDocument,
  unfinishedDocument,
} from '../render/documents.ts';
import { renderChecks, renderOthers } from '../render/host-outcome.ts';
import { LISTENERS } from '../seams/listeners.ts';
import { offeredCommands } from '../seams/offered-commands.ts';
import { offeredLines } from '../seams/seam.ts';

export type VerifyDocument = {
  readonly hosts: readonly (CheckedHostDocument | FailedHostDocument | SkippedHostDocument)[];
};

type CheckedHostDocument = {
  readonly host: string;
  readonly result: 'checked';
  /** Every check has the expected outcome. */
  readonly ok: boolean;
  readonly checks: readonly CheckDocument[];
  /** Accepted too, according to the store; not tried. */
  readonly otherCas: readonly OtherCaDocument[];
};

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'store'],
  about: [
    'Connects as your client, without a certificate, with one from an untrusted CA, as the server itself, over plain HTTP and with TLS 1.1. Needs no SSH, except for hosts with --reach ssh, whose results say so, and hosts without a port, whose sockets it asks. The sockets of other hosts are left to apply.',
    ...offeredLines(
      LISTENERS,
      'Where another service accepts clients in front of the daemon, sends one request that a role allows and one that it does not, for each role with a client whose key is here, and checks that port 2375 is closed.',
    ),
  ].join('\n'),
  examples: ['docker-tls verify', 'docker-tls verify build-1 --client ci'],
  args: { hosts: { summary: 'hosts (default: all)', many: true, completes: 'host' } },
  options: {
    ...SELECTION_OPTIONS,
    client: CLIENT_OPTION,
    askSudoPassword: SSH_OPTIONS.askSudoPassword,
    sudoPasswordFile: SSH_OPTIONS.sudoPasswordFile,
  },
  run: async (context) => renderVerified(await verifyHosts(context, context.args.hosts, context.options), context),
});

type VerifyOptions = SelectionOptions &
  Pick<SecretOptions, 'askSudoPassword' | 'sudoPasswordFile'> & { readonly client: string | undefined };

type Verified = {
  readonly results: readonly HostResult<readonly ProbeCheck[]>[];
  /** By host: CAs outside this store of which the host accepts every client, according to its record. */
  readonly otherCas: ReadonlyMap<string, readonly OtherCa[]>;
  /** One for each host that does not answer, or accepts a client that it must reject, or the reverse. */
  readonly failures: readonly DockerTlsError[];
};

/** Every named host, or all of them, as a client of this store. */
async function verifyHosts(
  context: ActionContext,
  names: readonly string[],
  options: VerifyOptions,
): Promise<Verified> {
  const { global, runtime, progress, prompts } = context;
  const state = await storeOf(context).read();
  const { specs, secrets } = await selectSpecs(context, names, options, state, undefined, { reached: true });
  // Root asks the sockets of a host without a port.
  const inside = specs.filter(({ name }) => !hasPort(state.hosts.get(name)?.record ?? {}));
  const passwords = await sudoPasswords(options, { specs: inside, secrets }, context);
  const hosts = reachableHosts(state);
  const { parallel } = global;
  const results = await overHosts(specs, { parallel, runtime, progress }, async (spec, line) => {
    const { name } = spec;
    const host = hosts.get(name);
    if (host === undefined)
      throw new DockerTlsError('E_HOST_UNKNOWN', 'it has not been set up yet', {
        where: name,
        hints: [`docker-tls apply ${name}`],
      });
    line.phase('verify');
    const reach = { runtime, ask: prompts.ssh, ...passwords };
    const record = state.hosts.get(name)?.record;
    const checks =
      record === undefined || hasPort(record)
        ? await verifyStored(reach, state, host, anyClient(state, host, options, runtime, context.again))
        : await verifySockets(completeHost(record), record.address, reach);
    if (checks.every((check) => check.ok)) line.done('verified');
    else line.failed('not verified');
    return checks;
  });
  const failures = results.flatMap((result) => {
    if (result.kind !== 'done') return [];
    const failure = failureOf(result.host, result.value);
    if (failure === undefined) return [];
    // The text lists the checks.
    return [failure.inShort(sumOf(result.value))];
  });
  const ours = ourFingerprints(state);
  const others = specs.map(({ name }) => {
    return [name, otherCas(state.hosts.get(name)?.ca ?? '', ours, runtime.now())] as const;
  });
  return { results, failures, otherCas: new Map(others) };
}

/**
 * Through ssh if the host's record says so. `client` needs its key in the store. Revoked and expired clients whose credentials are still
 * stored must be rejected.
 */
async function verifyStored(
  reach: Reach,
  state: StoreState,
  host: ReachableHost,
  client: StoredClient,
): Promise<ProbeCheck[]> {
  const { runtime } = reach;
  const now = runtime.now();
  const { serverKey, serverCert } = host;
  const held = [...state.clients.values()].flatMap((one) => {
    const { record, cert, key } = one;
    return key === undefined || serverCert === undefined ? [] : [{ name: record.name, cert, key, record }];
  });
  const isOver = ({ cert }: { readonly cert: string }): boolean => inspectCertificate(cert).notAfter <= now;
  const own = state.hosts.get(host.record.name);
  const spec = own === undefined || serverCert === undefined ? undefined : completeHost(own.record);
  const usable = usableAt(state.clients.values(), host).filter((one) => !isOver(one));
  const request: VerifyRequest = {
    address: host.record.address,
    port: host.record.port,
    ca: client.ca,
    client: { name: client.record.name, cert: client.cert, key: client.key as Secret },
    server: serverKey && serverCert ? { cert: serverCert, key: serverKey } : undefined,
    serverCert,
    expired: held.filter((one) => one.record.revokedAt === undefined && one.name !== client.record.name && isOver(one)),
    revoked: held.filter(({ record }) => record.revokedAt !== undefined),
    ...(spec === undefined ? {} : await listenerChecks(spec, usable)),
    now,
    signal: runtime.signal,
  };
  if (spec === undefined) return verifyHost(runtime.probe, request);
  return alongWay(spec, reach, async (way) => withVia(await verifyHost(way.probe, request), way));
}

/** Of a host without a port, through ssh. */
async function verifySockets(spec: HostSpec, address: string, reach: Reach): Promise<readonly ProbeCheck[]> {
  const { runtime } = reach;
  await using session = await runtime.connect({ ...sshOptions(spec, reach), hostKeyFlag: false });
  const way = wayTo(spec, runtime.probe, session);
  const at = { address, port: spec.port, now: runtime.now(), signal: runtime.signal };
  const sockets = await socketChecks({ session, spec }, runtime);
  return [...sockets, ...withVia(await verifyNoPort(way.probe, at), way)];
}

/** A host that does not answer is unreachable: it neither accepted nor rejected a connection. */
function failureOf(host: string, checks: readonly ProbeCheck[]): DockerTlsError | undefined {
  const silence = silenceOf(checks);
  const client = checks.find(({ expected, ok, who }) => expected === 'accepted' && !ok && who.startsWith('client '));
  // Without a name, the diagnosis may try another client.
  const named = client === undefined ? [] : ['--client', shellQuote(client.who.slice('client '.length))];
  const hints = offeredCommands('diagnosis', shellQuote(host), ...named);
  return silence === undefined
    ? verificationFailure(host, checks, '', undefined, hints)
    : new DockerTlsError('E_TLS', silence, { where: host, hints });
}

/** Of a host that failed, below the list of its checks. */
function sumOf(checks: readonly ProbeCheck[]): string {
  if (silenceOf(checks) !== undefined) return 'nothing was verified';
  return `${checks.filter(({ ok }) => !ok).length} of ${plural(checks.length, 'check')} failed`;
}

/** One line for a host that does not answer at all. */
function renderReached(checks: readonly ProbeCheck[], colours: Colours): string {
  const silence = silenceOf(checks);
  return silence === undefined ? renderChecks(checks, colours) : `  ${colours.red('✗')} ${silence}`;
}

function renderVerified(
  { results, failures, otherCas }: Verified,
  { runtime }: RenderContext,
): CommandResult<VerifyDocument> {
  const colours = coloursOf(runtime.io);
  const text = results.map((result) =>
    result.kind === 'done'
      ? [
          colours.bold(result.host),
          renderReached(result.value, colours),
          ...renderOthers(otherCas.get(result.host) ?? [], colours),
        ].join('\n')
      : `${result.host}: ${result.kind}`,
  );
  return {
    exit: gravestExit([exitOfResults(results, runtime.signal), ...failures.map(({ exit }) => exit)]),
    result: {
      hosts: results.map((result) =>
        result.kind === 'done'
          ? {
              ...{ host: result.host, result: 'checked', ok: result.value.every((check) => check.ok) },
              checks: result.value.map(checkDocument),
              otherCas: (otherCas.get(result.host) ?? []).map(otherCaDocument),
            }
          : unfinishedDocument(result),
      ),
    },
    text: text.join('\n\n'),
    attention: '',
    errors: [...errorsOf(results), ...failures],
  };
}
