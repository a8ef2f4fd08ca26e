/**
 * Owns the one question about a host's firewall: do new TCP connections get in to a port, and the answers out? Only what is sure prevents
 * a change; what is not is a warning, and named when the port turns out not to answer from here.
 */

import type { HostFacts } from './facts.ts';
import { judgeNft } from './firewall-nft.ts';

/** A firewall that blocks, or may block: its tool, what it does, and the commands that let the port through, to be run as root. */
export type Wall = { readonly name: string; readonly words: string; readonly hints: readonly string[] };

/** `wall`: it surely blocks. `doubt`: it may. Neither: nothing is seen that would. */
export type FirewallJudgement = { readonly wall?: Wall; readonly doubt?: Wall };

/** As many rules as src/host/facts/records.sh takes. */
const IPTABLES_LINES = 200;

export function judgeFirewall(firewall: HostFacts['firewall'], port: number): FirewallJudgement {
  if (firewall.firewalld !== undefined) return judgeFirewalld(firewall.firewalld, port);
  if (firewall.ufw !== undefined) return judgeUfw(firewall.ufw, port);
  const [input, output] = (['INPUT', 'OUTPUT'] as const).map((chain) => judgeIptables(firewall.iptables, chain, port));
  const nft = judgeNft(firewall.nft, port);
  const all = [input, output, nft];
  return all.find((one) => one?.wall) ?? all.find((one) => one?.doubt) ?? {};
}

/** Ports and services of the default zone alone: a rich rule, another zone or the zone's target may let it in as well. */
function judgeFirewalld(words: string, port: number): FirewallJudgement {
  const open = words
    .split(/\s+/)
    .some((word) => word === `${port}/tcp` || (port === 2376 && word === 'docker-swarm') || portRange(word, port));
  if (open) return {};
  return {
    doubt: {
      name: 'firewalld',
      words: `firewalld names port ${port} nowhere in its default zone`,
      hints: [`firewall-cmd --permanent --add-port=${port}/tcp`, 'firewall-cmd --reload'],
    },
  };
}

/** DEFAULT_INPUT_POLICY, then the rules, of which the first that matches counts (`### tuple ### allow tcp 2376 DEST SPORT SOURCE in`). */
function judgeUfw(text: string, port: number): FirewallJudgement {
  const ufw = (words: string): Wall => ({ name: 'ufw', words, hints: [`ufw allow ${port}/tcp`] });
  const wall = ufw(`ufw allows no connection to port ${port}`);
  let some = false;
  for (const line of text.split('\n')) {
    const [action, protocol, ports = '', , , source = '', direction] = line.replace(/^### tuple ### /, '').split(' ');
    const [, verb] = /^(allow|limit|deny|reject)(?:_log(?:-all)?)?$/.exec(action ?? '') ?? [];
    if (verb === undefined || !/^(tcp|any)$/.test(protocol ?? '') || !portField(ports, port)) continue;
    const everywhere = direction === 'in' && /^(0\.0\.0\.0\/0|::\/0|any)$/.test(source);
    if (verb === 'allow' || verb === 'limit') {
      if (everywhere) return {};
      some = true;
    } else if (everywhere)
      return some ? { doubt: ufw(`ufw allows connections to port ${port} only by some of its rules`) } : { wall };
  }
  const policy = /^DEFAULT_INPUT_POLICY="?(\w+)/m.exec(text)?.[1];
  if (policy === 'ACCEPT') return {};
  if (some) return { doubt: ufw(`ufw allows connections to port ${port} only by some of its rules`) };
  if (policy === 'DROP' || policy === 'REJECT') return { wall };
  return { doubt: ufw(`ufw is on and names port ${port} nowhere`) };
}

/**
 * Goes through a chain (`iptables -S`) as the packets of a new TCP connection from another machine would: INPUT as the first of them,
 * OUTPUT as the answer.
 */
function judgeIptables(text: string, chain: 'INPUT' | 'OUTPUT', port: number): FirewallJudgement {
  const what = chain === 'INPUT' ? `connection in on port ${port}` : `answer out of port ${port}`;
  const side = chain === 'INPUT' ? '--dport' : '--sport';
  const tables = (words: string): Wall => ({
    name: 'iptables',
    words: `iptables ${words}`,
    hints: [`iptables -I ${chain} -p tcp ${side} ${port} -j ACCEPT`],
  });
  const lines = text.split('\n').filter((line) => new RegExp(`^-[AP] ${chain} `).test(line));
  let some = false;
  let denied = false;
  const blocked = (): FirewallJudgement =>
    some ? { doubt: tables(`lets a ${what} only by some of its rules`) } : { wall: tables(`lets no ${what}`) };
  const open = (): FirewallJudgement =>
    denied ? { doubt: tables(`rejects or drops a ${what} by some of its rules`) } : {};
  for (const line of lines) {
    if (!line.startsWith('-A')) continue;
    const rule = line.replace(/ --comment ("(?:[^"\\]|\\.)*"|\S+)/, '');
    const target = / -[jg] (\S+)/.exec(rule)?.[1] ?? '';
    if (target === 'LOG' || target === '' || !couldMatch(rule, chain, port)) continue;
    if (target === 'DROP' || target === 'REJECT') {
      if (surelyMatches(rule)) return blocked();
      // One for this very port is meant for its clients; one for every port, such as a list of attackers, is not.
      denied ||= / --[ds]ports? /.test(rule) && !rule.includes(' ! ');
    } else if (target === 'ACCEPT' && surelyMatches(rule)) return open();
    // For some sources, or a chain of the administrator's own whose rules we do not know.
    else some = true;
  }
  if (!lines.some((line) => /^-P \S+ (?:DROP|REJECT)/.test(line))) return open();
  if (lines.length < IPTABLES_LINES) return blocked();
  return {
    doubt: tables(`drops what no rule lets through, and has too many rules to tell whether one names port ${port}`),
  };
}

function couldMatch(rule: string, chain: 'INPUT' | 'OUTPUT', port: number): boolean {
  if (/ -[io] lo( |$)/.test(rule)) return false;
  // What is turned round is not judged.
  if (rule.includes(' ! ')) return true;
  const protocol = / -p (\S+)/.exec(rule)?.[1];
  if (protocol !== undefined && protocol !== 'tcp' && protocol !== 'all') return false;
  const states = / --(?:ct)?state (\S+)/.exec(rule)?.[1];
  if (states !== undefined && !states.split(',').includes(chain === 'INPUT' ? 'NEW' : 'ESTABLISHED')) return false;
  const side = chain === 'INPUT' ? 'd' : 's';
  const ports = new RegExp(` --${side}ports? (\\S+)`).exec(rule)?.[1];
  // The client's port may be any, but hardly one that a rule names.
  return ports === undefined ? !/ --[ds]ports? /.test(rule) : portField(ports, port);
}

/** Nothing in the rule but the protocol, the port, the state and what happens: then it is for every source, always. */
function surelyMatches(rule: string): boolean {
  return /^-A \S+(?: -p \S+| -m (?:tcp|multiport|comment|state|conntrack)| --[ds]ports? \S+| --(?:ct)?state \S+| -j \S+| --reject-with \S+)*$/.test(
    rule,
  );
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
