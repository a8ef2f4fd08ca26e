/** Probes through SSH, for hosts whose TLS port this machine cannot reach: behind a bastion, or a firewall that allows only SSH. */

import { DockerTlsError } from '../../errors/errors.ts';
import type { ProbeCheck } from '../domain/plan/outcome.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { HostSession, Probe, Tunnel } from '../runtime.ts';
import type { Reach } from './intent.ts';
import { sshOptions } from './steps/open-host.ts';

/** Route to a host's TLS port: direct, or through its session, depending on its setting `reach`. */
export type Way = { readonly probe: Probe; readonly via?: string; readonly session?: HostSession };

export function wayTo({ reach }: Pick<HostSpec, 'reach'>, probe: Probe, { tunnel }: Pick<HostSession, 'tunnel'>): Way {
  return reach === 'ssh' && tunnel !== undefined ? { probe: probeThrough(probe, tunnel), via: tunnel.via } : { probe };
}

/** Runs `work` with a route to a host that has no open session, and with the session that it opens for it, closed afterwards. Fails as connecting does. */
export async function alongWay<T>(spec: HostSpec, reach: Reach, work: (way: Way) => Promise<T>): Promise<T> {
  const { probe, connect } = reach.runtime;
  if (spec.reach !== 'ssh') return work({ probe });
  // Commands that use this route do not take --host-key.
  await using session = await connect({ ...sshOptions(spec, reach), hostKeyFlag: false });
  return await work({ ...wayTo(spec, probe, session), session });
}

/** Every connection starts at the tunnel's end; a target that SSH cannot reach counts as a refused connection. */
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

/** Adds to each result the machine that it was seen through. */
export function withVia(checks: readonly ProbeCheck[], { via }: Pick<Way, 'via'>): ProbeCheck[] {
  return checks.map((check) =>
    via === undefined ? check : { ...check, outcome: `${check.outcome}, through ${via}`, via },
  );
}
