/** Commands of roles before consent: they only read. */

import type { FeatureConsent } from '../../../support/consent.ts';

export const CONSENT: FeatureConsent = { changing: [], others: /^(?:role (?:list|show|test|suggest)|client log)$/ };
