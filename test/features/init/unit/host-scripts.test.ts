/** Scripts of the kinds sysvinit and OpenRC: each module lists its needs in its header, and all follow the one protocol. */

import { initKinds } from '../../../../src/features/init/engine/kinds.ts';
import { checkKinds } from '../../../support/kind-checks.ts';

checkKinds('features/init/host', initKinds, ['reload-sshd']);
