/** Judgement of a host's firewall, as the core's seam asks for it. */

import type { FirewallCode } from '../../../core/seams/firewall.ts';
import { firewallOf, judgeFirewall } from '../domain/judge-firewall.ts';
import firewallModule from '../host/firewall.sh';

export const firewallCode: FirewallCode = {
  judge: (facts, port) => judgeFirewall(firewallOf(facts), port),
  facts: firewallModule,
};
