/**
 * Firewall check: do new TCP connections reach a port, and do the answers get out? Only a certain block prevents a change; a possible one
 * is a warning, repeated if the port turns out to be unreachable.
 */

import type { HostFacts } from '../../../core/domain/plan/facts.ts';
import type { FirewallJudgement, Wall } from '../../../core/domain/plan/firewall.ts';

/** Rules as their tools print them; undefined: the tool is not in use. */
export type Firewall = {
  readonly iptables: string;
  readonly ufw: string | undefined;
  readonly nft: string;
  readonly firewalld: string | undefined;
  /** Those with an address. */
  readonly interfaces: readonly string[];
};

/** Number of rules of a chain that the facts script collects. */
const IPTABLES_LINES = 200;

export function firewallOf({ texts, addresses }: Pick<HostFacts, 'texts' | 'addresses'>): Firewall {
  return {
    iptables: `${texts.get('iptables') ?? ''}\n${texts.get('iptables-output') ?? ''}`,
    ufw: texts.get('ufw'),
    nft: texts.get('nft-rules') ?? '',
    firewalld: texts.get('firewalld'),
    interfaces: [...new Set(addresses.map((one) => one.interface))],
  };
}

export function judgeFirewall(firewall: Firewall, port: number): FirewallJudgement {
  if (firewall.firewalld !== undefined) return judgeFirewalld(firewall.firewalld, firewall.interfaces, port);
  if (firewall.ufw !== undefined) return judgeUfw(firewall.ufw, port);
  const [input, output] = (['INPUT', 'OUTPUT'] as const).map((chain) => judgeIptables(firewall.iptables, chain, port));
  const nft = judgeNft(firewall.nft, port);
  const all = [input, output, nft];
  return all.find((one) => one?.wall) ?? all.find((one) => one?.doubt) ?? {};
}

/** DEFAULT_INPUT_POLICY, then the rules; the first match counts (`### tuple ### allow tcp 2376 DEST SPORT SOURCE in`). */
function judgeUfw(text: string, port: number): FirewallJudgement {
  const tuples = text.split('\n').map((line) => line.replace(/^### tuple ### /, ''));
  let some = false;
  let denied = false;
  const ufw = (words: string): Wall => ({ words, hints: ufwCommands(tuples, port, denied) });
  const blocked = (): FirewallJudgement =>
    some
      ? { doubt: ufw(`ufw allows connections to port ${port} only by some of its rules`) }
      : { wall: ufw(`ufw allows no connection to port ${port}`) };
  const open = (): FirewallJudgement =>
    denied ? { doubt: ufw(`ufw denies connections to port ${port} by some of its rules`) } : {};
  for (const line of tuples) {
    const [action, protocol, ports = '', , , source = '', direction] = line.split(' ');
    const [, verb] = /^(allow|limit|deny|reject)(?:_log(?:-all)?)?$/.exec(action ?? '') ?? [];
    if (verb === undefined || !/^(tcp|any)$/.test(protocol ?? '') || !portField(ports, port)) continue;
    const everywhere = direction === 'in' && /^(0\.0\.0\.0\/0|::\/0|any)$/.test(source);
    if (verb === 'allow' || verb === 'limit') {
      if (everywhere) return open();
      some = true;
    } else {
      // `ufw allow` replaces its exact opposite.
      if (line !== `${action} ${ufwRule(port)}`) denied ||= ports !== 'any' || everywhere;
      if (everywhere) return blocked();
    }
  }
  const policy = /^DEFAULT_INPUT_POLICY="?(\w+)/m.exec(text)?.[1];
  if (policy === 'ACCEPT') return open();
  if (some || policy === 'DROP' || policy === 'REJECT') return blocked();
  return { doubt: ufw(`ufw is on and names port ${port} nowhere`) };
}

/** The rule of `ufw allow PORT/tcp` without its verb. */
const ufwRule = (port: number): string => `tcp ${port} 0.0.0.0/0 any 0.0.0.0/0 in`;

/** `allow` appends after a deny rule, and `prepend` adds nothing if the same rule exists further down. */
function ufwCommands(tuples: readonly string[], port: number, denied: boolean): string[] {
  if (!denied) return [`ufw allow ${port}/tcp`];
  const behind = tuples.includes(`allow ${ufwRule(port)}`);
  return [...(behind ? [`ufw delete allow ${port}/tcp`] : []), `ufw prepend allow ${port}/tcp`];
}

/** Follows a chain (`iptables -S`) for a new TCP connection from another machine: INPUT for its first packet, OUTPUT for the answer. */
function judgeIptables(text: string, chain: 'INPUT' | 'OUTPUT', port: number): FirewallJudgement {
  const what = chain === 'INPUT' ? `connection in on port ${port}` : `answer out of port ${port}`;
  const side = chain === 'INPUT' ? '--dport' : '--sport';
  const tables = (words: string): Wall => ({
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
      // A rule for this port concerns its clients; one for every port, such as a block list of attackers, does not.
      denied ||= / --[ds]ports? /.test(rule) && !rule.includes(' ! ');
    } else if (target === 'ACCEPT' && surelyMatches(rule)) return open();
    // For some sources, or a custom chain whose rules are unknown.
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
  // Negations are not evaluated.
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

/** Whether the rule has only protocol, port, state and target: then it applies to every source, always. */
function surelyMatches(rule: string): boolean {
  return /^-A \S+(?: -p \S+| -m (?:tcp|multiport|comment|state|conntrack)| --[ds]ports? \S+| --(?:ct)?state \S+| -j \S+| --reject-with \S+)*$/.test(
    rule,
  );
}

/** `any`, a port, `low:high`, or a comma-separated list of them. */
function portField(field: string, port: number): boolean {
  return field.split(',').some((part) => part === 'any' || inRange(part, ':', port));
}

/** A port, or `low:high` with the given separator. */
function inRange(range: string, sign: ':' | '-', port: number): boolean {
  const [low = '', high = low] = range.split(sign);
  return /^\d+$/.test(low) && Number(low) <= port && port <= Number(high);
}

type Zone = { readonly name: string; readonly interfaces: readonly string[]; readonly open: boolean };

/**
 * firewalld, by the zones of the interfaces with an address. `text`: the default zone, then `firewall-cmd --list-all-zones`. A rich rule, a
 * zone of sources or a custom service may open the port too, so the result is never certain.
 */
function judgeFirewalld(text: string, interfaces: readonly string[], port: number): FirewallJudgement {
  const [first = '', ...rest] = text.split('\n');
  const zones = parseZones(rest.join('\n'), port);
  const normal = first.trim();
  // An interface without an explicit zone is in the default zone.
  const bound = new Map(zones.flatMap(({ name, interfaces: own }) => own.map((one) => [one, name] as const)));
  const used = new Set(interfaces.length === 0 ? [normal] : interfaces.map((one) => bound.get(one) ?? normal));
  const closed = [...used].filter((name) => !zones.some((zone) => zone.name === name && zone.open));
  if (closed.length === 0) return {};
  const where = `zone${closed.length === 1 ? '' : 's'} ${closed.join(', ')}`;
  return {
    doubt: {
      words: `firewalld names port ${port} nowhere in its ${where}`,
      hints: [
        ...closed.map((name) => `firewall-cmd --permanent --zone=${name} --add-port=${port}/tcp`),
        'firewall-cmd --reload',
      ],
    },
  };
}

/** An unindented line starts a zone: `public (default, active)`. */
function parseZones(text: string, port: number): Zone[] {
  return text.split(/^(?=[\w-])/m).map((block) => {
    const words = (key: string) => new RegExp(`^  ${key}: (.*)$`, 'm').exec(block)?.[1]?.split(/\s+/) ?? [];
    return {
      name: /^[\w-]*/.exec(block)?.[0] ?? '',
      interfaces: words('interfaces'),
      open:
        words('target').includes('ACCEPT') ||
        words('ports').some((word) => word.endsWith('/tcp') && inRange(word.slice(0, -4), '-', port)),
    };
  });
}

/**
 * `nft list ruleset`: input and output chains that drop by default or by a rule, without an exception for this port. Sets and jumps are not
 * followed.
 */
function judgeNft(ruleset: string, port: number): FirewallJudgement {
  for (const { family, table, chain, body } of chains(ruleset)) {
    const hook = /hook (input|output) priority [^;]+; policy (accept|drop);/.exec(body);
    if (hook === null) continue;
    const out = hook[1] === 'output';
    const rules = body.split('\n').map((line) => line.trim());
    const named = rules.filter((rule) => namesPort(rule, out ? 'sport' : 'dport', port));
    const open = named.find((rule) =>
      /^tcp [ds]port (?:\{[^}]*\}|\S+)(?: ct state [^ ]+| counter.*?)* accept/.test(rule),
    );
    const established = out && rules.some((rule) => /^ct state (?:\{[^}]*\}|\S*)\bestablished.*accept/.test(rule));
    const drops = hook[2] === 'drop' || named.some((rule) => /\b(drop|reject)\b/.test(rule));
    if (!drops || open !== undefined || established) continue;
    const what = out ? `answer out of port ${port}` : `connection in on port ${port}`;
    const side = out ? 'sport' : 'dport';
    return {
      doubt: {
        words: `nftables (chain ${chain} of table ${family} ${table}) ${named.length > 0 ? `lets a ${what} only by some of its rules` : `lets no ${what}`}`,
        hints: [`nft insert rule ${family} ${table} ${chain} tcp ${side} ${port} accept`],
      },
    };
  }
  return {};
}

type Chain = { readonly family: string; readonly table: string; readonly chain: string; readonly body: string };

function chains(ruleset: string): Chain[] {
  return ruleset.split(/^table /m).flatMap((text) => {
    const [, family = '', table = ''] = /^(\S+) (\S+) \{/.exec(text) ?? [];
    return Array.from(text.matchAll(/^\tchain (\S+) \{\n([\s\S]*?)^\t\}/gm), ([, chain = '', body = '']) => ({
      family,
      table,
      chain,
      body,
    }));
  });
}

/** Whether a rule names the port directly, in a list or in a range. */
function namesPort(rule: string, side: 'dport' | 'sport', port: number): boolean {
  const [, ports = ''] = new RegExp(`\\b${side} (\\{[^}]*\\}|\\S+)`).exec(rule) ?? [];
  return (ports.match(/\d+(?:-\d+)?/g) ?? []).some((part) => inRange(part, '-', port));
}
