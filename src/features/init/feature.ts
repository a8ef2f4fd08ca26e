/** Feature for hosts without systemd, which sysvinit or OpenRC starts: its additions to the core. */

import { HOST_KINDS } from '../../core/seams/host-kinds.ts';

HOST_KINDS.add({ load: async () => (await import('./engine/kinds.ts')).initKinds });
