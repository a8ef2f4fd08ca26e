/** Commands of roles and sockets before consent. */

import type { FeatureConsent } from '../../../support/consent.ts';
import { listenerFacts } from './listener-facts.ts';

export const CONSENT: FeatureConsent = {
  changing: [['socket add', ['traefik', 'root@h9'], true]],
  // Of `socket remove` the tests of the command line.
  others: /^(?:role (?:list|show|test|suggest)|socket (?:list|remove)|client log)$/,
  outputs: { 'listener facts': listenerFacts() },
};
