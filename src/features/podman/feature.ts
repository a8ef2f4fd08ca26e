/** Feature for hosts where Podman serves Docker's API: its additions to the core. */

import { HOST_KINDS } from '../../core/seams/host-kinds.ts';

HOST_KINDS.add({ load: async () => (await import('./engine/kinds.ts')).podmanKinds });
