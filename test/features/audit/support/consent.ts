/** Actions of the audit's commands before consent. */

import type { FeatureConsent } from '../../../support/consent.ts';
import { recordedBytes } from './audit-facts.ts';

export const CONSENT: FeatureConsent = {
  changing: [['harden', ['--only', 'log-limits'], true]],
  others: /^audit$/,
  outputs: { audit: recordedBytes('fresh-trixie') },
};
