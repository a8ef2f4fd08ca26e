/** Audit and hardening: what they add to the core. */

import { listCommand } from '../../cli/command.ts';
import { FIX_NAMES, FIX_VALUES } from '../../domain/audit/fix-names.ts';
import { COMMAND_SEAM } from '../../seams/commands.ts';
import { HARDENING } from '../../seams/hardening.ts';

COMMAND_SEAM.add(
  listCommand(
    { name: 'audit', summary: 'Checks of host, daemon, containers and TLS (CIS numbers); changes nothing' },
    () => import('../../cli/commands/audit.ts'),
  ),
  listCommand(
    { name: 'harden', summary: 'Fix audit findings (planned, verified, rolled back on failure)' },
    () => import('../../cli/commands/harden.ts'),
  ),
);
HARDENING.add({
  fixes: FIX_NAMES,
  values: FIX_VALUES,
  async load() {
    const [{ hardenOpened }, { upgradeOf }, { purgePackages }] = await Promise.all([
      import('../../engine/steps/harden.ts'),
      import('../../engine/upgrade.ts'),
      import('../../engine/packages.ts'),
    ]);
    return { hardenOpened, upgradeOf, purgePackages };
  },
});
