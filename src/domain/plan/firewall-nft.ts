/** Owns the reading of `nft list ruleset`, as far as it says whether a port is let through: sets and jumps are not followed. */

import type { FirewallJudgement } from './firewall.ts';

/** Chains on the way in and on the way out that drop by default, or by a rule of their own, without an exception for this port. */
export function judgeNft(ruleset: string, port: number): FirewallJudgement {
  for (const { family, table, chain, body } of chains(ruleset)) {
    const hook = /hook (input|output) priority [^;]+; policy (accept|drop);/.exec(body);
    if (hook === null) continue;
    const out = hook[1] === 'output';
    const rules = body.split('\n').map((line) => line.trim());
    const named = rules.filter((rule) => names(rule, out ? 'sport' : 'dport', port));
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
        name: 'nftables',
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

/** Whether a rule names the port by itself, in a list or in a range. */
function names(rule: string, side: 'dport' | 'sport', port: number): boolean {
  const [, ports = ''] = new RegExp(`\\b${side} (\\{[^}]*\\}|\\S+)`).exec(rule) ?? [];
  return (ports.match(/\d+(?:-\d+)?/g) ?? []).some((part) => {
    const [low = '', high = low] = part.split('-');
    return Number(low) <= port && port <= Number(high);
  });
}
