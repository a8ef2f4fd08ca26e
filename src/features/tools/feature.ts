/** Feature for other tools (their configuration, Butane, docker-machine, timers and CI jobs): its additions to the core. */

import { listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { FORMATS, type ToolFormat } from '../../core/seams/formats.ts';
import { OFFERED_COMMANDS } from '../../core/seams/offered-commands.ts';
import { TOOL_NAMES, TOOLS } from './domain/tool-names.ts';

COMMAND_SEAM.add(
  listCommand(
    { name: 'import docker-machine', summary: "Take over hosts from docker-machine's store" },
    () => import('./commands/import-docker-machine.ts'),
  ),
  listCommand(
    { name: 'butane', summary: 'The plan of a host as a file for its first boot' },
    () => import('./commands/butane.ts'),
  ),
  listCommand(
    { name: 'schedule', summary: 'Schedule renewals: a systemd timer, a cron line, or a CI job' },
    () => import('./commands/schedule.ts'),
  ),
);
OFFERED_COMMANDS.add({ purpose: 'renewals', command: 'docker-tls schedule' });
FORMATS.add(
  ...TOOL_NAMES.map(
    (name): ToolFormat => ({
      name,
      ...TOOLS[name],
      async load() {
        const [{ configureTool }, { commandsHere, toolArchive }] = await Promise.all([
          import('./actions/env-tool.ts'),
          import('./actions/tool-config.ts'),
        ]);
        return {
          configure: (requested, context) => configureTool(name, requested, context),
          archive: (client, place, now) => toolArchive(name, client, place, now),
          commandsHere: (state, host, client, program) => commandsHere(name, state, host, client, program),
        };
      },
    }),
  ),
);
