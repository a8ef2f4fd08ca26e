/** Scripts of the kind podman: each module lists its needs in its header, and all follow the one protocol. */

import { podmanKinds } from '../../../../src/features/podman/engine/kinds.ts';
import { checkKinds } from '../../../support/kind-checks.ts';

checkKinds('features/podman/host', podmanKinds);
