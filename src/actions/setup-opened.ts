/** Owns what `setup` sees on a host that is open, before a person is asked: what prevents it, and an address that cannot be reached. */

import type { StoreState } from '../adapters/store/records.ts';
import type { HostFlags } from '../domain/fleet/specs.ts';
import { otherName } from '../domain/plan/other-store.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { OpenedHost } from '../engine/intent.ts';
import { wayProblem } from '../engine/reachability.ts';
import { problemsOf, refuseProblems } from '../engine/steps/preflight.ts';
import { knownHosts } from '../engine/steps/resolve.ts';
import { wayTo } from '../engine/through.ts';
import type { VerifiedAt } from '../engine/verify-host.ts';
import { type DockerTlsError, failureOf } from '../errors/errors.ts';
import { type Answers, askAddress, type SetupContext, withAddress } from './setup-questions.ts';

/** Fails with everything that prevents the setup, before the first question. */
export function refuseEarly(
  spec: HostSpec,
  opened: OpenedHost,
  state: StoreState,
  takeOver: boolean,
  runtime: SetupContext['runtime'],
): void {
  const { dialled } = opened.session;
  const twin = otherName(opened.facts, spec, state, dialled, { known: knownHosts(state), takeOver });
  const problems = problemsOf(opened, spec, runtime.now());
  refuseProblems({ problems: [...(twin === undefined ? [] : [twin]), ...problems] });
}

/** Where the TLS port cannot be reached from here, asks how clients reach it: everything is verified over it. */
export async function withOpenWay(
  context: SetupContext,
  flags: HostFlags,
  answers: Answers,
  opened: OpenedHost,
): Promise<Answers> {
  const { prompts, runtime, options } = context;
  const { spec } = answers;
  const { dialled, login, tunnel } = opened.session;
  if (spec.reach === 'ssh') return answers;
  const at = { address: spec.address ?? dialled, port: spec.port };
  const { firewall } = opened.facts;
  const problem = await wayProblem(runtime.probe, spec.name, at, { firewall, login });
  if (problem === undefined) return answers;
  const closed = await problemThroughSsh(context, spec.name, at, opened.session);
  const answer = await prompts.select({
    explain: [problem.message, ...(problem.details ?? [])].join('\n'),
    message: 'How do clients reach it?',
    choices: [
      {
        value: 'ssh',
        name: `through ${tunnel?.via ?? 'ssh'}: docker-tls tunnel ${spec.name}`,
        description:
          'As --reach ssh: verified from there. There is no docker context, because docker dials the port itself.',
        disabled: closed && `(${closed.message})`,
      },
      { value: 'address', name: 'by another name or address' },
      { value: 'end', name: 'end here, and open the port first', description: problem.hints.join('\n') },
    ],
    default: closed === undefined ? 'ssh' : 'address',
    flag: '--reach ssh, or --address NAME',
    key: `hosts.${spec.name}.reach`,
  });
  if (answer === 'end') throw problem;
  if (answer === 'ssh') return { ...answers, spec: { ...spec, reach: 'ssh' }, context: options.context };
  const address = await askAddress(prompts, runtime, spec, dialled);
  return { ...answers, spec: withAddress(spec, address, opened, flags) };
}

/** What keeps ssh from leading there: sshd does not forward, or there is no answer from there either. */
async function problemThroughSsh(
  { runtime }: SetupContext,
  host: string,
  at: VerifiedAt,
  session: OpenedHost['session'],
): Promise<DockerTlsError | undefined> {
  try {
    return await wayProblem(wayTo({ reach: 'ssh' }, runtime.probe, session).probe, host, at);
  } catch (error) {
    return failureOf(error);
  }
}
