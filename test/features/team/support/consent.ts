/** Actions of a shared store's commands before consent: test/features/team/cli/team.test.ts tests them. */

import type { FeatureConsent } from '../../../support/consent.ts';

export const CONSENT: FeatureConsent = {
  changing: [],
  others: /^(log|operator (add|remove|list)|store (copy|export|check|refresh|restore))$/,
};
