/** Audit and hardening feature: its additions to the core. */

import { type CommandGroup, listCommand } from '../../cli/command.ts';
import { CHANGE_PARTS } from '../../core/seams/change-parts.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';
import { HARDEN_VALUES } from '../../core/seams/harden-values.ts';
import { HARDENING } from '../../core/seams/host-hardening.ts';
import { FIX_NAMES, FIX_VALUES } from './domain/fix-names.ts';

const AUDIT: CommandGroup = {
  name: 'audit',
  summary: 'Findings on hosts, containers and files, and their fixes',
};

COMMAND_SEAM.add(
  listCommand(
    {
      name: 'audit',
      group: AUDIT,
      summary: 'Checks of host, daemon, containers and TLS (CIS numbers); changes nothing',
    },
    () => import('./commands/audit.ts'),
  ),
  listCommand(
    { name: 'harden', group: AUDIT, summary: 'Fix audit findings (planned, verified, rolled back on failure)' },
    () => import('./commands/harden.ts'),
  ),
);
HARDEN_VALUES.add({ names: FIX_NAMES, values: FIX_VALUES });
FEATURE_SETTINGS.add('harden');
CHANGE_PARTS.add({ order: 3, load: async () => (await import('./engine/change-parts.ts')).AUDIT_PARTS });
HARDENING.add({
  async load() {
    const [{ hardenOpened }, { upgradeOf }, { purgePackages }] = await Promise.all([
      import('./engine/harden-host.ts'),
      import('./engine/upgrade.ts'),
      import('./engine/install-packages.ts'),
    ]);
    return { hardenOpened, upgradeOf, purgePackages };
  },
});
