/**
 * Owns the one question about a host's firewall: does it let new TCP connections in to a port? Only what is sure stands against a change;
 * what is not is a warning, since the verification from outside decides.
 */

import type { HostFacts } from './facts.ts';

export type Wall = { readonly name: string; readonly hints: readonly string[] };

/** `wall`: it surely blocks; its hints are commands, to be run as root. `doubt`: it may, in words. Neither: nothing is seen that would. */
export type FirewallJudgement = { readonly wall?: Wall; readonly doubt?: string };

/** As many rules as src/host/facts/records.sh takes. */
const IPTABLES_LINES = 200;

export function judgeFirewall(firewall: HostFacts['firewall'], port: number): FirewallJudgement {
  if (firewall.firewalld !== undefined) return judgeFirewalld(firewall.firewalld, port);
  if (firewall.ufw !== undefined) return judgeUfw(firewall.ufw, port);
  const iptables = judgeIptables(firewall.iptables, port);
  return iptables.wall !== undefined || iptables.doubt !== undefined ? iptables : judgeNft(firewall.nft, port);
}

/** Ports and services of the default zone alone: a rich rule, another zone or the zone's target may accept it as well. */
function judgeFirewalld(words: string, port: number): FirewallJudgement {
  const open = words
    .split(/\s+/)
    .some((word) => word === `${port}/tcp` || (port === 2376 && word === 'docker-swarm') || portRange(word, port));
  if (open) return {};
  return {
    doubt: `firewalld names port ${port} nowhere in its default zone; if the verification fails: firewall-cmd --permanent --add-port=${port}/tcp, then firewall-cmd --reload`,
  };
}

/** DEFAULT_INPUT_POLICY, then the rules, of which the first that matches counts (`### tuple ### allow tcp 2376 DEST SPORT SOURCE in`). */
function judgeUfw(text: string, port: number): FirewallJudgement {
  const wall = { name: 'ufw', hints: [`ufw allow ${port}/tcp`] };
  for (const line of text.split('\n')) {
    const [action, protocol, ports = '', , , source = '', direction] = line.replace(/^### tuple ### /, '').split(' ');
    const [, verb] = /^(allow|limit|deny|reject)(?:_log(?:-all)?)?$/.exec(action ?? '') ?? [];
    if (verb === undefined || !/^(tcp|any)$/.test(protocol ?? '') || !portField(ports, port)) continue;
    if (verb === 'allow' || verb === 'limit') return {};
    if (direction === 'in' && /^(0\.0\.0\.0\/0|::\/0|any)$/.test(source)) return { wall };
  }
  const policy = /^DEFAULT_INPUT_POLICY="?(\w+)/m.exec(text)?.[1];
  if (policy === 'ACCEPT') return {};
  if (policy === 'DROP' || policy === 'REJECT') return { wall };
  return { doubt: `ufw is on and names port ${port} nowhere; if the verification fails: ufw allow ${port}/tcp` };
}

/** Goes through the INPUT chain (`iptables -S INPUT`) as a new TCP connection from elsewhere would. */
function judgeIptables(text: string, port: number): FirewallJudgement {
  const wall = { name: 'iptables', hints: [`iptables -I INPUT -p tcp --dport ${port} -j ACCEPT`] };
  const lines = text.split('\n');
  for (const line of lines) {
    if (!line.startsWith('-A INPUT')) continue;
    const rule = line.replace(/ --comment ("(?:[^"\\]|\\.)*"|\S+)/, '');
    const verdict = / -[jg] (\S+)/.exec(rule)?.[1] ?? '';
    if (verdict === 'LOG' || verdict === '' || !couldMatch(rule, port)) continue;
    // ACCEPT, or a chain of somebody's own whose rules we do not know.
    if (verdict !== 'DROP' && verdict !== 'REJECT') return {};
    if (surelyMatches(rule)) return { wall };
  }
  if (!/^-P INPUT (?:DROP|REJECT)/m.test(text)) return {};
  return lines.length < IPTABLES_LINES
    ? { wall }
    : { doubt: `iptables drops what no rule accepts, and has too many rules to tell whether one names port ${port}` };
}

function couldMatch(rule: string, port: number): boolean {
  if (/ -i lo( |$)/.test(rule)) return false;
  // What is turned round is not judged.
  if (rule.includes(' ! ')) return true;
  const protocol = / -p (\S+)/.exec(rule)?.[1];
  if (protocol !== undefined && protocol !== 'tcp' && protocol !== 'all') return false;
  const states = / --(?:ct)?state (\S+)/.exec(rule)?.[1];
  if (states !== undefined && !states.split(',').includes('NEW')) return false;
  const ports = / --dports? (\S+)/.exec(rule)?.[1];
  return ports === undefined || portField(ports, port);
}

/** Nothing in the rule but the protocol, the port and what happens: then it is for everybody, from everywhere, always. */
function surelyMatches(rule: string): boolean {
  return /^-A INPUT(?: -p \S+| -m (?:tcp|multiport|comment)| --dports? \S+| -j \S+| --reject-with \S+)*$/.test(rule);
}

/** A chain of nftables' own that drops by default: which sets and jumps let something in is not followed. */
function judgeNft(ruleset: string, port: number): FirewallJudgement {
  if (!/hook input priority [^;]+; policy drop;/.test(ruleset)) return {};
  const named = [...ruleset.matchAll(/\bdport (\{[^}]*\}|\S+)/g)].some(([, ports = '']) =>
    (ports.match(/\d+(?:-\d+)?/g) ?? []).some((part) => portField(part.replace('-', ':'), port)),
  );
  return named ? {} : { doubt: `nftables drops by default what comes in, and no rule names port ${port}` };
}

function portRange(word: string, port: number): boolean {
  const range = /^(\d+)-(\d+)\/tcp$/.exec(word);
  return range !== null && Number(range[1]) <= port && port <= Number(range[2]);
}

/** `any`, a port, `low:high`, or several of them with commas. */
function portField(field: string, port: number): boolean {
  return field.split(',').some((part) => {
    const [low = '', high = low] = part.split(':');
    return part === 'any' || (/^\d+$/.test(low) && Number(low) <= port && port <= Number(high));
  });
}
