/** Actions of bundles and requests before consent. */

import type { FeatureConsent } from '../../../support/consent.ts';

export const CONSENT: FeatureConsent = {
  changing: [['client sign', ['ann.csr', '--hosts', 'h1'], true]],
  others: /^client (export|import|request)$/,
};
