/** Feature for files that name hosts (fleet.yaml, inventories of Ansible, lists of hosts): its additions to the core. */

import { FLEET_FILES } from '../../core/seams/fleet-files.ts';
import { SETTING_PLACES } from '../../core/seams/setting-places.ts';

FLEET_FILES.add({ load: async () => (await import('./actions/fleet-files-code.ts')).fleetFiles });
SETTING_PLACES.add('the fleet file');
