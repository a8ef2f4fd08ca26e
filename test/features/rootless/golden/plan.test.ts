/** Golden plans of a user's own Docker. */

import { CASES } from '../../../core/golden/plan/cases.ts';
import { checkGoldenPlans } from '../../../support/golden-plans.ts';

// It does not harden the host.
checkGoldenPlans(
  'rootless',
  new URL('./plan/', import.meta.url),
  CASES.filter(({ name }) => name !== 'setup-hardened'),
);
