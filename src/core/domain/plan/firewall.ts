/** What a host's firewall does to connections to a port, in a build that can judge it. */

import type { HostFacts } from './facts.ts';

/** A firewall that blocks, or may block: its effect, and the commands that open the port, to run as root. */
export type Wall = { readonly words: string; readonly hints: readonly string[] };

/** `wall`: certainly blocked. `doubt`: possibly blocked. Neither: no block found. */
export type FirewallJudgement = { readonly wall?: Wall; readonly doubt?: Wall };

export type JudgeFirewall = (facts: Pick<HostFacts, 'texts' | 'addresses'>, port: number) => FirewallJudgement;

/** Those of this build, before the facts of any host are read. */
export const FIREWALL_JUDGES: JudgeFirewall[] = [];

export function judgeFirewall(...about: Parameters<JudgeFirewall>): FirewallJudgement {
  return FIREWALL_JUDGES[0]?.(...about) ?? {};
}
