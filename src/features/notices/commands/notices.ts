/** `notices on|off`: expiry notices after docker commands (../cli/notice.ts). */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { dockerConfigDirectory } from '../../../core/user.ts';
import { setHooks } from '../adapters/hooks.ts';

export type NoticesDocument = {
  readonly notices: 'on' | 'off';
  readonly changed: boolean;
  readonly dockerConfig: string;
  readonly dryRun?: true;
};

export const command = defineCommand({
  scope: ['changes'],
  about:
    "Needs docker-tls as a plugin of docker 26 or later. Docker then asks it after its commands, on a terminal only; it answers one line when the certificate of the host or of the client is due, with the command that renews it.\non adds to Docker's config.json the feature hooks, which lets every plugin speak, and the commands after which ours is asked; off takes the latter away.",
  examples: ['docker-tls notices on', 'docker-tls notices off'],
  args: { setting: { summary: 'on or off', required: true, choices: ['on', 'off'] } },
  options: {},
  async run({ args, global: { dryRun }, runtime }): Promise<CommandResult<NoticesDocument>> {
    const { setting } = args;
    const dockerConfig = dockerConfigDirectory(runtime);
    const changed = dryRun ? false : await setHooks(dockerConfig, setting === 'on');
    return {
      exit: 0,
      result: { notices: setting, changed, dockerConfig, dryRun: dryRun || undefined },
      text: `${dryRun ? 'would turn notices' : 'notices are'} ${setting} (${dockerConfig}/config.json)`,
    };
  },
});
