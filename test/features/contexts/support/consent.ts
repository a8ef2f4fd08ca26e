/** Actions of docker contexts before consent. */

import type { FeatureConsent } from '../../../support/consent.ts';

export const CONSENT: FeatureConsent = { changing: [], others: /^context$/ };
