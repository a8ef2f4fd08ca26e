/** What the commands of a shared store do before consent: test/features/team/cli/team.test.ts tries them. */

import type { FeatureConsent } from '../../../support/consent.ts';

export const CONSENT: FeatureConsent = {
  changing: [],
  others: /^(log|operator (add|remove|list)|store (copy|export|check|restore))$/,
};
