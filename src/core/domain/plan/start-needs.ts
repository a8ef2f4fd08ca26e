/** Files and programs that dockerd needs to start, derived from its settings and version. */

import { isOn, lastOf } from '../dockerd/daemon-options.ts';
import type { DaemonView } from './daemon-view.ts';
import type { HostFacts } from './facts.ts';
import { kindOf } from './host-kind.ts';

/** A program that dockerd looks for at start; `path` is undefined if the host lacks it. */
type StartNeed = { readonly name: string; readonly path: string | undefined; readonly package: string };

/** The first Docker that does not start without docker-proxy (26.1 and 28.5 do not, 20.10 does). */
const NEEDS_PROXY = 26;

/** Programs that dockerd needs to start. If one is missing, dockerd keeps running until its next restart. */
export function startNeeds(facts: HostFacts, view: DaemonView): StartNeed[] {
  if (kindOf(facts).engine.program !== 'dockerd') return [];
  const found = (...names: string[]): string | undefined =>
    facts.docker.programs.find((path) => names.some((name) => path.endsWith(`/${name}`)));
  // Docker's own packages for Debian install dockerd in /usr/bin.
  const ce = facts.distribution?.manager === 'apt' && facts.docker.binary.startsWith('/usr/bin/');
  const needs: StartNeed[] = [
    { name: 'runc', path: found('runc', 'buildkit-runc'), package: ce ? 'containerd.io' : 'runc' },
  ];
  // Docker 29 with the nftables backend (moby: nftables.Enable).
  const [name, from] = lastOf(view, 'firewall-backend') === 'nftables' ? ['nft', 'nftables'] : ['iptables', 'iptables'];
  if (isOn(view, 'iptables', true)) needs.push({ name, path: found(name), package: from });
  if (
    Number.parseInt(facts.docker.version, 10) >= NEEDS_PROXY &&
    isOn(view, 'userland-proxy', true) &&
    !lastOf(view, 'userland-proxy-path')
  )
    needs.push({
      name: 'docker-proxy',
      path: found('docker-proxy'),
      package: ce ? 'docker-ce' : (facts.distribution?.docker ?? 'docker-ce'),
    });
  return needs;
}
