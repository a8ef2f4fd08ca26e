/** `doctor HOST`: one cause, and the command that fixes it. */

import { type CommandResult, defineCommand, type OptionSpecs, type OptionValues } from '../../../cli/command.ts';
import { CLIENT_OPTION, SSH_OPTIONS } from '../../../cli/host-options.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { openFleetFile } from '../../../core/actions/fleet-files.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { sudoPasswords } from '../../../core/actions/run.ts';
import { currentContext } from '../../../core/adapters/docker/config-file.ts';
import type { StoredClient } from '../../../core/adapters/store/records.ts';
import { dockerHost } from '../../../core/domain/destination.ts';
import { specFor } from '../../../core/domain/hosts/specs.ts';
import { hasPort } from '../../../core/domain/network-port.ts';
import type { Secret } from '../../../core/domain/secret.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import { meantClient, trustedCas } from '../../../core/domain/trust/reachable-hosts.ts';
import { anyClient, resolveHost } from '../../../core/domain/trust/resolve.ts';
import { cutText } from '../../../core/domain/words.ts';
import { probeAs } from '../../../core/engine/probes.ts';
import type { RenderContext } from '../../../core/render/change-result.ts';
import { coloursOf } from '../../../core/render/colours.ts';
import type { ProbeCauseDocument } from '../../../core/render/documents.ts';
import type { Runtime } from '../../../core/runtime.ts';
import { copiesCode } from '../../../core/seams/copies.ts';
import { dockerConfigDirectory } from '../../../core/user.ts';
import type { ErrorCode } from '../../../errors/catalogue.ts';
import { type Hint, printable } from '../../../errors/errors.ts';
import { cliApiVersion } from '../adapters/cli-version.ts';
import { haveExpired } from '../domain/clocks.ts';
import { diagnose } from '../domain/diagnose.ts';
import {
  asksHost,
  behindBastion,
  type Diagnosis,
  firstCause,
  hostAt,
  journalTells,
  sshHints,
  withoutSsh,
} from '../domain/diagnosis.ts';
import { alongAnyWay, type InsideView, logIn, lookInside } from '../engine/inside.ts';
import { examineSockets } from './doctor-sockets.ts';

export type DoctorDocument = {
  readonly host: string;
  /** Both are empty for a host without a port. */
  readonly endpoint: string;
  readonly client: string;
  /** `none`: all is well. */
  readonly cause: CauseDocument;
  readonly message: string;
  /** Commands to paste, the most likely fix first. */
  readonly hints: readonly string[];
  /** A remark that is not a fault. */
  readonly note?: string;
  /** The host's clock minus this machine's, if known. */
  readonly clockSkewMs?: number;
  /** The last lines of the daemon's journal, if the daemon is the cause. */
  readonly journal: readonly string[];
  /** Why docker-tls cannot log in to the host by SSH. */
  readonly sshProblem?: { readonly code: string; readonly message: string; readonly hints: readonly string[] };
};

type CauseDocument =
  | 'none'
  | ProbeCauseDocument
  | 'clock-skew'
  | 'client-expired'
  | 'client-not-yet-valid'
  | 'daemon-not-answering'
  | 'denied-by-daemon'
  | 'host-overridden'
  | 'context-overridden'
  | 'tls-off'
  | 'tls-verify-alone'
  | 'cert-path'
  | 'api-version'
  | 'ssh';

function doctorDocument(found: Examination): DoctorDocument {
  const { host, endpoint, client, cause, message, hints, note, clockSkewMs, journal, sshProblem } = found;
  return {
    ...{ host, endpoint, client, cause, message, hints: hints.map(String), note, clockSkewMs, journal },
    sshProblem: sshProblem && {
      ...{ code: sshProblem.code, message: sshProblem.message, hints: sshProblem.hints.map(String) },
    },
  };
}

const OPTIONS = {
  client: CLIENT_OPTION,
  noSsh: { kind: 'flag', summary: 'do not log in to the host' },
  askSudoPassword: SSH_OPTIONS.askSudoPassword,
  sudoPasswordFile: SSH_OPTIONS.sudoPasswordFile,
  timeout: { kind: 'duration', value: 'TIME', summary: 'how long to wait for an answer (default: 5s)' },
} as const satisfies OptionSpecs;

export const command = defineCommand({
  scope: ['fleet', 'host', 'store'],
  about:
    "Connects as the client does, logs in to the host by SSH, and looks at the environment and the docker contexts of this computer; where that helps, it asks the host's clock and journal.\nWithout HOST: the one that DOCKER_HOST or docker's context leads to, or the only one.\nChanges nothing. Exit status 0: all is well; 7: a cause was found.",
  examples: ['docker-tls doctor build-1', 'docker-tls doctor build-1 --client ci --no-ssh'],
  args: { host: { summary: "the host's name in the store", completes: 'host' } },
  options: OPTIONS,
  run: async (context) => renderExamination(await doctor(context, context.args.host, context.options), context),
});

type Examination = Diagnosis & {
  readonly host: string;
  readonly endpoint: string;
  readonly client: string;
  /** The host's clock minus this machine's, if known. */
  readonly clockSkewMs?: number;
  /** The last lines of the daemon's journal, clean; only if the daemon is the cause. */
  readonly journal: readonly string[];
  /** The reason why docker-tls cannot log in to the host by SSH, and the fix. */
  readonly sshProblem?: { readonly code: ErrorCode; readonly message: string; readonly hints: readonly Hint[] };
};

/** `timeout`: milliseconds. */
type DoctorOptions = OptionValues<typeof OPTIONS>;

/**
 * Finds one cause for the named host, docker's present host, or the only one. Fails only as the store and the docker contexts do; an
 * unreachable host is a finding.
 */
async function doctor(context: ActionContext, named: string | undefined, options: DoctorOptions): Promise<Examination> {
  const { runtime, prompts, again } = context;
  const { env, signal } = runtime;
  const state = await storeOf(context).read();
  const docker = await dockerHere(runtime);
  const host = resolveHost(state, named ?? hostAt(state, env.DOCKER_HOST || docker.endpoint), again);
  const { address, port, name } = host.record;
  const record = state.hosts.get(name)?.record;
  const fleet = await openFleetFile(context);
  const known = fleet ?? { specFor };
  const spec = options.noSsh || record === undefined ? undefined : known.specFor(named ?? name, state, { ssh: {} });
  const specs = spec === undefined ? [] : [spec];
  const passwords = await sudoPasswords(options, { specs, secrets: fleet?.secretsOf(specs) ?? {} }, context);
  const reach = { runtime, ask: prompts.ssh, ...passwords };
  if (spec !== undefined && !hasPort(spec))
    return { ...(await examineSockets(spec, reach)), host: name, endpoint: '', client: '', journal: [] };
  const client = anyClient(state, host, options, runtime, again, docker.holds);
  const timeoutMs = options.timeout ?? 5000;
  // Its answer tells the API versions.
  const at = { address, port, ca: client.ca, timeoutMs, now: runtime.now(), signal, path: '/version' };
  const credentials = { cert: client.cert, key: client.key as Secret };
  const [{ outcome, via }, ssh] = await Promise.all([
    alongAnyWay(spec, reach, async (way) => ({
      outcome: await probeAs(way.probe, 'own-certificate', at, credentials),
      via: way.via,
    })),
    spec && logIn(spec, reach),
  ]);
  const more = asksHost(firstCause(outcome));
  const seen: InsideView = ssh === undefined ? {} : await lookInside(ssh, state, spec as HostSpec, more, runtime);
  const endpoint = dockerHost(address, port);
  const external = host.serverCert === undefined;
  const own = (await docker.copies?.contextsTo(endpoint, docker.copiesOf(client)))?.map((one) => one.name) ?? [];
  const meant = meantClient(state.clients, host, env.DOCKER_TLS_CLIENT || undefined);
  const diagnosis = diagnose({
    ...{ outcome, env, clientCert: client.cert, storedCert: host.serverCert, currentContext: docker.current },
    now: runtime.now(),
    remoteClockSkewMs: seen.skewMs,
    inside: seen.inside,
    cas: host.serverCert && trustedCas(state),
    cliApiVersion: outcome.kind === 'accepted' ? await cliApiVersion(env) : undefined,
    expected: {
      // Any of several contexts will do, preferably the one in use.
      ...{ name, external, via, host: endpoint, context: own.find((one) => one === docker.inUse) ?? own[0] },
      certPath: client.directory,
      client: client.record.name,
      named: options.client !== undefined || meant !== client,
      ownKey: client.record.ownKey ?? false,
      caExpired: haveExpired(external ? client.ca : (state.ca?.cert ?? ''), runtime.now()),
      ssh: seen.login ?? record?.ssh,
    },
  });
  const direct = spec === undefined || seen.problem !== undefined;
  const found = record?.reach === 'ssh' && direct ? behindBastion(diagnosis, name) : diagnosis;
  const problem = seen.problem?.hinting(sshHints(seen.problem.hints, name, again({})));
  return {
    ...(problem === undefined ? found : withoutSsh(found, endpoint, problem)),
    ...{ host: name, endpoint, client: client.record.name, clockSkewMs: seen.skewMs },
    journal: journalTells(diagnosis.cause, seen.inside) ? (seen.journal ?? []) : [],
    sshProblem: problem && { code: problem.code, message: problem.message, hints: problem.hints },
  };
}

/** Docker's current context on this machine, its endpoint, and the clients of its files. */
async function dockerHere({ env, ...runtime }: Runtime) {
  const dockerConfig = dockerConfigDirectory({ env, ...runtime });
  const current = await currentContext(dockerConfig);
  const inUse = env.DOCKER_CONTEXT || current;
  const copies = await copiesCode();
  const endpoint = inUse && (await copies?.endpointOf({ name: inUse, dockerConfig }));
  const copiesOf = ({ record }: Pick<StoredClient, 'record'>) =>
    (record.copies ?? []).filter((one) => one.dockerConfig === dockerConfig);
  return {
    ...{ current, inUse, copies, copiesOf, endpoint },
    holds: (client: StoredClient) => copiesOf(client).some(({ contexts }) => contexts.some((one) => one === inUse)),
  };
}

function renderExamination(found: Examination, { runtime }: RenderContext): CommandResult<DoctorDocument> {
  const { green, red, bold, dim } = coloursOf(runtime.io);
  const { cause, message, journal, sshProblem, note, hints } = found;
  const well = cause === 'none';
  const ssh = cause === 'ssh' ? undefined : sshProblem;
  const text = [
    `${well ? green('✓') : red('✗')} ${bold(well ? 'all is well' : cause)}: ${message}`,
    ...journal.map((line) => dim(`  journal: ${runtime.io.outIsTerminal ? cutText(line, 400) : line}`)),
    ...(ssh === undefined ? [] : [dim(`  ssh: ${printable(ssh.message)}`)]),
    ...(note === undefined ? [] : [`  ${note}`]),
  ].join('\n');
  const next = [...hints, ...(ssh?.hints ?? [])];
  return { exit: well ? 0 : 7, result: doctorDocument(found), text, attention: '', next };
}
