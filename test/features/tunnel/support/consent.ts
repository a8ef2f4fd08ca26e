/** Actions of tunnels before consent. */

import type { FeatureConsent } from '../../../support/consent.ts';

export const CONSENT: FeatureConsent = { changing: [], others: /^tunnel$/ };
