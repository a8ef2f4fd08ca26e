/** Actions of a CA rotation before consent. */

import type { FeatureConsent } from '../../../support/consent.ts';

export const CONSENT: FeatureConsent = { changing: [['rotate ca', [], true]], others: /(?!)/ };
