/** Warnings of a plan: what the restart brings along, and who may not reach the port afterwards. */

import type { Listening } from './daemon-view.ts';
import type { DesiredHost } from './desired.ts';
import type { HostFacts } from './facts.ts';
import { judgeFirewall } from './firewall.ts';
import { kindOf } from './host-kind.ts';
import { podmanPorts } from './plain-tcp.ts';

/** A change that is still there although no run has its lock: the host rolls it back before it takes the next one (apply/take-lock.sh). */
export function earlierChange({ transaction, lock }: HostFacts): string[] {
  if (transaction === undefined) return [];
  return [`a change by ${lock?.who ?? 'an earlier run'} was not confirmed: the next one rolls it back first`];
}

/** UnitFileState of what a boot does not start: `enabled-runtime` lasts until then. */
const NOT_AT_BOOT = ['disabled', 'enabled-runtime'];

export function daemonWarnings(facts: HostFacts, listening: Listening, action: string): string[] {
  const { service, engine } = kindOf(facts);
  // A service of ours does not run before the first change.
  if (engine.apart && facts.docker.unit.load === 'not-found') return [];
  const boot = bootWarnings(facts);
  if (facts.docker.unit.active !== 'active') return [`${service} is not running now and will be started`, ...boot];
  if (action !== 'restart') return boot;
  const managed = new Set((facts.state?.managed ?? []).map(({ path }) => path));
  const refuses = `the daemon opens its port itself${kindOf(facts).asks ? '' : ' (its unit has no `-H fd://`)'}: during its restart new connections are refused for about a second`;
  return [
    ...(listening === 'daemon' ? [refuses] : []),
    ...restartWarnings(facts, action),
    ...(facts.docker.edited ?? [])
      .filter((path) => !managed.has(path))
      .map((path) => `${path} was edited after the daemon had started: what it says takes effect with the restart`),
    ...boot,
  ];
}

/** Our own socket unit does not start it either: it closes its port while Docker neither runs nor starts on demand. */
function bootWarnings(facts: HostFacts): string[] {
  const { unit, socket } = facts.docker;
  const onDemand = socket.load === 'loaded' && socket.enabled !== '' && !NOT_AT_BOOT.includes(socket.enabled);
  if (!NOT_AT_BOOT.includes(unit.enabled) || onDemand) return [];
  const { service, enable } = kindOf(facts);
  return [
    `${service} is not enabled: after a reboot no client can connect until it is started; to start it at each boot, on the host: ${enable}`,
  ];
}

/** The promises that this kind of host does not keep over a restart. */
export function restartWarnings(facts: HostFacts, action: string): readonly string[] {
  return action === 'restart' && facts.docker.unit.active === 'active' ? kindOf(facts).unkept : [];
}

export function networkWarnings(facts: HostFacts, { port, listen }: DesiredHost, action: string): string[] {
  // Rootless daemons of users are none of ours: found, named, left alone.
  const rootless = facts.docker.rootless.map(
    ({ user, path }) =>
      `${user} has a rootless Docker of their own (${path}): it is not changed, and not protected by TLS`,
  );
  const left = kindOf(facts).engine.apart
    ? podmanPorts(facts).map(
        (address) =>
          `podman.socket listens on ${address} as well, and docker-tls leaves it as it is: unless podman.service has TLS of its own, every client there is root on the host without a certificate`,
      )
    : [];
  if (action !== 'restart') return [...rootless, ...left];
  const { doubt } = judgeFirewall(facts.firewall, port);
  // An address that comes later, a VPN's, is what FreeBind is for; a typing error looks the same, and no client could connect.
  const has = new Set(facts.addresses.map(({ address }) => address.toLowerCase()));
  const missing = listen.filter(
    (address) => !has.has(address.toLowerCase()) && !/^(0\.0\.0\.0|::|127\..*|::1|fe80:.*)$/i.test(address),
  );
  return [
    ...rootless,
    ...left,
    ...(doubt === undefined ? [] : [`${doubt.words}; if it does not answer: ${doubt.hints.join(', then ')}`]),
    ...missing.map(
      (address) => `no interface of the host has the address ${address} now: no client can connect there until one has`,
    ),
  ];
}
