/** `doctor HOST`: one cause, and the command that fixes it. */

import { defineCommand } from '../../cli/command.ts';
import { CLIENT_OPTION, SSH_OPTIONS } from '../../cli/host-options.ts';
import { doctor } from '../actions/doctor.ts';
import { renderExamination } from '../render/doctor.ts';

export const command = defineCommand({
  scope: ['fleet', 'host', 'store'],
  about:
    "Connects as the client does, logs in to the host by SSH, and looks at the environment and the docker contexts of this computer; where that helps, it asks the host's clock and journal.\nWithout HOST: the one that DOCKER_HOST or docker's context leads to, or the only one.\nChanges nothing. Exit status 0: all is well; 7: a cause was found.",
  examples: ['docker-tls doctor build-1', 'docker-tls doctor build-1 --client ci --no-ssh'],
  args: { host: { summary: "the host's name in the store", completes: 'host' } },
  options: {
    client: CLIENT_OPTION,
    noSsh: { kind: 'flag', summary: 'do not log in to the host' },
    askSudoPassword: SSH_OPTIONS.askSudoPassword,
    sudoPasswordFile: SSH_OPTIONS.sudoPasswordFile,
    timeout: { kind: 'duration', value: 'TIME', summary: 'how long to wait for an answer; default 5s' },
  },
  run: async (context) => renderExamination(await doctor(context, context.args.host, context.options), context),
});
