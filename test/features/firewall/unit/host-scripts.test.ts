/** Module of the facts script: its needs, and its place. */

import { factsScriptOf } from '../../../../src/core/host/scripts.ts';
import { firewallCode } from '../../../../src/features/firewall/engine/firewall-code.ts';
import { checkModules } from '../../../support/module-checks.ts';

checkModules('features/firewall/host', [['facts', factsScriptOf([], [], [], [firewallCode.facts])]]);
