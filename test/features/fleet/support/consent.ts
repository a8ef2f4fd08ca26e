/** Actions on a fleet file before consent. test/support/consent.ts has the file. */

import type { FeatureConsent } from '../../../support/consent.ts';

export const CONSENT: FeatureConsent = {
  changing: [
    ['plan', ['-f', 'fleet.yaml'], false],
    ['apply', ['-f', 'fleet.yaml'], true],
  ],
  others: /^$/,
};
