/** Probes through ssh, for hosts whose TLS port this machine cannot reach: behind a bastion, or a firewall that lets only ssh in. */

import { DockerTlsError, failureOf } from '../../errors/errors.ts';
import type { CheckResult } from '../domain/plan/outcome.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { HostSession, Probe, Tunnel } from '../runtime.ts';
import type { Reach } from './intent.ts';
import { sshOptions } from './steps/connect.ts';

/** How the TLS port of a host is reached from here: directly, or through its session, as its setting `reach` says. */
export type Way = { readonly probe: Probe; readonly via?: string };

export function wayTo({ reach }: Pick<HostSpec, 'reach'>, probe: Probe, { tunnel }: Pick<HostSession, 'tunnel'>): Way {
  return reach === 'ssh' && tunnel !== undefined ? { probe: probeThrough(probe, tunnel), via: tunnel.via } : { probe };
}

/** Runs `work` along the way to a host that no session is open to; closes what it opened. Fails as connecting does. */
export async function alongWay<T>(spec: HostSpec, reach: Reach, work: (way: Way) => Promise<T>): Promise<T> {
  const { probe, connect } = reach.runtime;
  if (spec.reach !== 'ssh') return work({ probe });
  // What goes this way takes no --host-key.
  await using session = await connect({ ...sshOptions(spec, reach), hostKeyFlag: false });
  return await work(wayTo(spec, probe, session));
}

/** The same, and directly where there is no way through ssh, or none that gets there. */
export async function alongAnyWay<T>(
  spec: HostSpec | undefined,
  reach: Reach,
  work: (way: Way) => Promise<T>,
): Promise<T> {
  const direct = () => work({ probe: reach.runtime.probe });
  if (spec?.reach !== 'ssh') return direct();
  return alongWay(spec, reach, work).catch((error: unknown) => {
    if (failureOf(error).exit === 130) throw error;
    return direct();
  });
}

/** Every connection begins where the tunnel does; what ssh cannot reach there is a refused connection. */
export function probeThrough(probe: Probe, tunnel: Tunnel): Probe {
  return (request) =>
    probe({
      ...request,
      dial: () =>
        tunnel.open(request.address, request.port).catch((error: unknown) => {
          const closed = error instanceof DockerTlsError && error.code === 'E_SSH_UNREACHABLE';
          throw closed ? Object.assign(new Error(error.message), { code: 'ECONNREFUSED' }) : error;
        }),
    });
}

/** Each result says that it was not seen from here. */
export function withVia(checks: readonly CheckResult[], { via }: Pick<Way, 'via'>): CheckResult[] {
  return checks.map((check) =>
    via === undefined ? check : { ...check, outcome: `${check.outcome}, through ${via}`, via },
  );
}
