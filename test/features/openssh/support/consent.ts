/** Actions of the system's ssh before consent. */

import type { FeatureConsent } from '../../../support/consent.ts';

export const CONSENT: FeatureConsent = { changing: [], others: /^ssh$/ };
