/**
 * Feature for what tells that a certificate is due (notices after docker commands, `status --watch`, metrics), and for the newest version: its
 * additions to the core. bin/docker-tls.js starts its hook.
 */

import { listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { MONITORS } from '../../core/seams/monitors.ts';
import { RELEASES } from '../../core/seams/releases.ts';

/** Those of the repository that package.json names. */
const url = 'https://api.github.com/repos/docker-tls/docker-tls/releases/latest';

COMMAND_SEAM.add(
  listCommand(
    { name: 'notices', summary: 'Turn expiry warnings after docker commands on or off' },
    () => import('./commands/notices.ts'),
  ),
);
MONITORS.add({
  async load() {
    const [{ renderPrometheus: metrics }, { watchStatus: watch }] = await Promise.all([
      import('./domain/metrics.ts'),
      import('./actions/watch.ts'),
    ]);
    return { metrics, watch };
  },
});
RELEASES.add({
  url,
  newestVersion: async (own, signal) => (await import('./adapters/newer-version.ts')).newerVersion(own, url, signal),
});
