/** Feature for the wizard: `setup` on a terminal asks what no flag answers; its addition to the core. */

import { WIZARD } from '../../core/seams/wizard.ts';

WIZARD.add({ load: async () => (await import('./actions/wizard.ts')).wizard });
