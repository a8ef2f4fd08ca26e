/** Feature for rootless Docker, a user's own daemon: its additions to the core. */

import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';
import { HOST_KINDS } from '../../core/seams/host-kinds.ts';

FEATURE_SETTINGS.add('rootless');
HOST_KINDS.add({ load: async () => (await import('./engine/kinds.ts')).ownKinds });
