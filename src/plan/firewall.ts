/** Owns the one question about a host's firewall: is it known to block a port? In doubt the answer is no, since the proof comes later. */

import type { HostFacts } from './facts.ts';

export type Wall = { readonly name: string; readonly hints: readonly string[] };

/** The firewall that is known to block new TCP connections to `port`, with the commands that open it (to be run as root). */
export function firewallBlocks(firewall: HostFacts['firewall'], port: number): Wall | undefined {
  if (firewall.firewalld !== undefined) {
    const open = firewall.firewalld
      .split(/\s+/)
      .some((word) => word === `${port}/tcp` || (port === 2376 && word === 'docker-swarm') || portRange(word, port));
    return open
      ? undefined
      : { name: 'firewalld', hints: [`firewall-cmd --permanent --add-port=${port}/tcp`, 'firewall-cmd --reload'] };
  }
  if (firewall.ufw !== undefined) {
    const allowed = firewall.ufw
      .split('\n')
      .some(
        (line) => /^### tuple ### (allow|limit) (tcp|any) /.test(line) && portField(line.split(' ')[5] ?? '', port),
      );
    return allowed ? undefined : { name: 'ufw', hints: [`ufw allow ${port}/tcp`] };
  }
  const iptables = iptablesBlocks(firewall.iptables, port);
  if (iptables) return { name: 'iptables', hints: [`iptables -I INPUT -p tcp --dport ${port} -j ACCEPT`] };
  return undefined;
}

function portRange(word: string, port: number): boolean {
  const range = /^(\d+)-(\d+)\/tcp$/.exec(word);
  return range !== null && Number(range[1]) <= port && port <= Number(range[2]);
}

function portField(field: string, port: number): boolean {
  return (
    field === 'any' ||
    field
      .split(',')
      .some(
        (part) =>
          part === `${port}` ||
          (/^\d+:\d+$/.test(part) && Number(part.split(':')[0]) <= port && port <= Number(part.split(':')[1])),
      )
  );
}

/** Goes through the INPUT chain (`iptables -S INPUT`) as a new TCP connection from elsewhere would. */
function iptablesBlocks(rules: string, port: number): boolean {
  const policy = /^-P INPUT (\S+)/m.exec(rules)?.[1];
  for (const rule of rules.split('\n')) {
    if (!rule.startsWith('-A INPUT')) continue;
    const verdict = / -j (\S+)/.exec(rule)?.[1] ?? '';
    if (verdict === 'LOG' || verdict === '') continue;
    if (!couldMatch(rule, port)) continue;
    if (verdict === 'DROP' || verdict === 'REJECT') {
      // Only a rule that surely matches counts; one that is limited to a source or an interface may not.
      return !/ (-s|-i|-m (?!tcp|comment)\S+) /.test(`${rule} `);
    }
    // ACCEPT, or a chain of somebody's own whose rules we do not know.
    return false;
  }
  return policy === 'DROP' || policy === 'REJECT';
}

function couldMatch(rule: string, port: number): boolean {
  if (/ -i lo( |$)/.test(rule)) return false;
  const protocol = / -p (\S+)/.exec(rule)?.[1];
  if (protocol !== undefined && protocol !== 'tcp' && protocol !== 'all') return false;
  const states = / --(?:ct)?state (\S+)/.exec(rule)?.[1];
  if (states !== undefined && !states.split(',').includes('NEW')) return false;
  const ports = / --dports? (\S+)/.exec(rule)?.[1];
  return ports === undefined || portField(ports, port);
}
