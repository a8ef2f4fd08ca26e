/** Scripts of the kind rootless: each module lists its needs in its header, and all follow the one protocol. */

import { LINGER_PARTS } from '../../../../src/features/rootless/engine/change-parts.ts';
import { ownKinds } from '../../../../src/features/rootless/engine/kinds.ts';
import { checkKinds } from '../../../support/kind-checks.ts';
import { checkParts } from '../../../support/part-checks.ts';

checkKinds('features/rootless/host', ownKinds);

checkParts(LINGER_PARTS);
