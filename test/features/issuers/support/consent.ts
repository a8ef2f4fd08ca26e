/** Actions of an import before consent. */

import { type FeatureConsent, factory } from '../../../support/consent.ts';

const { certFile } = factory.issue('other', { ca: true });

export const CONSENT: FeatureConsent = { changing: [['ca import', ['--cert', certFile], false]], others: /^$/ };
