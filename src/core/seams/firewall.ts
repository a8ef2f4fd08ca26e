/** Judgement of a host's firewall. engine/loaded-kinds.ts loads it. */

import type { JudgeFirewall } from '../domain/plan/firewall.ts';
import { seam } from './seam.ts';

/** `facts`: module of the facts script, with the function `firewall_facts`. */
export type FirewallCode = { readonly judge: JudgeFirewall; readonly facts: string };

export const FIREWALLS = seam<{ load(): Promise<FirewallCode> }>();
