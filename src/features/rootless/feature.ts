/** Feature for rootless Docker, a user's own daemon: its additions to the core. */

import { CHANGE_PARTS } from '../../core/seams/change-parts.ts';
import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';
import { HOST_KINDS } from '../../core/seams/host-kinds.ts';

FEATURE_SETTINGS.add('rootless');
CHANGE_PARTS.add({ order: 1, load: async () => (await import('./engine/change-parts.ts')).LINGER_PARTS });
HOST_KINDS.add({ load: async () => (await import('./engine/kinds.ts')).ownKinds });
