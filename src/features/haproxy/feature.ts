/** Feature for HAProxy as the listener of a host: its additions to the core. */

import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';
import { LISTENERS } from '../../core/seams/listeners.ts';

FEATURE_SETTINGS.add('listener', 'otherClients', 'role');
LISTENERS.add({ name: 'haproxy', load: () => import('./engine/open-listener.ts') });
