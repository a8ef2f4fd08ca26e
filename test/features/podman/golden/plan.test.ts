/** Golden plans of hosts where Podman serves the API. */

import { CASES } from '../../../core/golden/plan/cases.ts';
import { checkGoldenPlans } from '../../../support/golden-plans.ts';

// It has no daemon.json.
checkGoldenPlans(
  'podman',
  new URL('./plan/', import.meta.url),
  CASES.filter(({ json }) => json === undefined),
);
