/** Owns the reading of firewalld: the zones of the interfaces that have an address, and whether each lets a port in. */

import type { FirewallJudgement } from './firewall.ts';

type Zone = { readonly name: string; readonly interfaces: readonly string[]; readonly open: boolean };

/**
 * `text`: the default zone, then `firewall-cmd --list-all-zones`. A rich rule, a zone of sources or a service of the administrator's own may
 * let the port in as well, so nothing here is sure.
 */
export function judgeFirewalld(text: string, interfaces: readonly string[], port: number): FirewallJudgement {
  const [first = '', ...rest] = text.split('\n');
  const zones = parseZones(rest.join('\n'), port);
  const normal = first.trim();
  // An interface that no zone names is in the default zone.
  const bound = new Map(zones.flatMap(({ name, interfaces: own }) => own.map((one) => [one, name] as const)));
  const used = new Set(interfaces.length === 0 ? [normal] : interfaces.map((one) => bound.get(one) ?? normal));
  const closed = [...used].filter((name) => !zones.some((zone) => zone.name === name && zone.open));
  if (closed.length === 0) return {};
  const where = `zone${closed.length === 1 ? '' : 's'} ${closed.join(', ')}`;
  return {
    doubt: {
      name: 'firewalld',
      words: `firewalld names port ${port} nowhere in its ${where}`,
      hints: [
        ...closed.map((name) => `firewall-cmd --permanent --zone=${name} --add-port=${port}/tcp`),
        'firewall-cmd --reload',
      ],
    },
  };
}

/** A line that is not indented begins a zone: `public (default, active)`. */
function parseZones(text: string, port: number): Zone[] {
  return text.split(/^(?=[\w-])/m).map((block) => {
    const words = (key: string) => new RegExp(`^  ${key}: (.*)$`, 'm').exec(block)?.[1]?.split(/\s+/) ?? [];
    return {
      name: /^[\w-]*/.exec(block)?.[0] ?? '',
      interfaces: words('interfaces'),
      open: words('target').includes('ACCEPT') || words('ports').some((word) => names(word, port)),
    };
  });
}

/** `2376/tcp`, or a range `2300-2400/tcp`. */
function names(word: string, port: number): boolean {
  const [, low = '', high = low] = /^(\d+)(?:-(\d+))?\/tcp$/.exec(word) ?? [];
  return low !== '' && Number(low) <= port && port <= Number(high);
}
