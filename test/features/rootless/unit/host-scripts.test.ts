/** Scripts of the kind rootless: each module lists its needs in its header, and all follow the one protocol. */

import { ownKinds } from '../../../../src/features/rootless/engine/kinds.ts';
import { checkKinds } from '../../../support/kind-checks.ts';

checkKinds('features/rootless/host', ownKinds);
