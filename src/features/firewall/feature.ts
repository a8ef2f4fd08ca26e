/** Feature that judges the firewall of a host: its addition to the core. */

import { FIREWALLS } from '../../core/seams/firewall.ts';

FIREWALLS.add({ load: async () => (await import('./engine/firewall-code.ts')).firewallCode });
