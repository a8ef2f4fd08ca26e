/** Warnings of a plan: side effects of the restart, and obstacles between clients and the port. */

import { hasPort } from '../network-port.ts';
import { DAEMON_FILES } from './daemon-files.ts';
import type { Listening } from './daemon-view.ts';
import type { DesiredHost } from './desired.ts';
import type { HostFacts } from './facts.ts';
import { judgeFirewall } from './firewall.ts';
import { kindOf } from './host-kind.ts';
import { daemonPorts } from './plain-tcp.ts';

/** An unconfirmed change without a running lock holder: the host rolls it back before it accepts the next one (apply/take-lock.sh). */
export function earlierChange({ transaction, lock }: HostFacts): string[] {
  if (transaction === undefined) return [];
  return [`a change by ${lock?.who ?? 'an earlier run'} was not confirmed: the next one rolls it back first`];
}

/** UnitFileState values that a boot does not start: `enabled-runtime` ends at the next boot. */
const NOT_AT_BOOT = ['disabled', 'enabled-runtime'];

export function daemonWarnings(facts: HostFacts, listening: Listening, action: string): string[] {
  const { service, engine } = kindOf(facts);
  // Our own service does not run before the first change.
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

/** Our socket unit does not start Docker either: it closes its port while Docker neither runs nor starts on demand. */
function bootWarnings(facts: HostFacts): string[] {
  const { unit, socket } = facts.docker;
  const onDemand = socket.load === 'loaded' && socket.enabled !== '' && !NOT_AT_BOOT.includes(socket.enabled);
  if (!NOT_AT_BOOT.includes(unit.enabled) || onDemand) return [];
  const { service, enable } = kindOf(facts);
  return [
    `${service} is not enabled: after a reboot no client can connect until it is started; to start it at each boot, on the host: ${enable}`,
  ];
}

/** Guarantees that this host kind does not give during a restart. */
export function restartWarnings(facts: HostFacts, action: string): readonly string[] {
  return action === 'restart' && facts.docker.unit.active === 'active' ? kindOf(facts).unkept : [];
}

export function networkWarnings(facts: HostFacts, { port, listen }: DesiredHost, action: string): string[] {
  // Rootless daemons of users are not managed: only reported.
  const rootless = facts.docker.rootless.map(
    ({ user, path }) =>
      `${user} runs a rootless Docker (${path}): docker-tls does not change it, and TLS does not protect it`,
  );
  const left = DAEMON_FILES.of(kindOf(facts).name).warnings?.(facts) ?? [];
  if (!hasPort({ listen })) {
    const open = daemonPorts(facts).map(
      (address) =>
        `the host is to have no port, and the daemon's own configuration opens ${address}: docker-tls leaves that alone`,
    );
    return [...rootless, ...left, ...open];
  }
  if (action !== 'restart') return [...rootless, ...left];
  const { doubt } = judgeFirewall(facts, port);
  // FreeBind allows an address that appears later (a VPN's). A mistyped address looks the same, but no client could connect.
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
