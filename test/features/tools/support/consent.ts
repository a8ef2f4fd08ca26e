/** Actions of the commands for other tools before consent. */

import type { FeatureConsent } from '../../../support/consent.ts';

export const CONSENT: FeatureConsent = {
  changing: [['import docker-machine', ['--storage-path', 'machines'], false]],
  others: /^(butane|schedule)$/,
};
