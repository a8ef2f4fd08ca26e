/** Feature for server keys that are made on their host and stay there: its additions to the core. */

import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';
import { HOST_CSR } from '../../core/seams/host-csr.ts';

FEATURE_SETTINGS.add('keys');
HOST_CSR.add({ load: () => import('./engine/host-key.ts') });
