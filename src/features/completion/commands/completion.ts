/** `completion SHELL`. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { COMPLETION_SCRIPTS } from '../domain/completion-scripts.ts';

export type CompletionDocument = {
  readonly shell: 'bash' | 'zsh' | 'fish' | 'powershell';
  readonly script: string;
};

export const command = defineCommand({
  scope: [],
  about:
    'Commands, options and the names of your hosts and clients are completed. For `docker tls …` nothing is needed: docker asks its plugins.',
  examples: [
    'docker-tls completion bash > ~/.local/share/bash-completion/completions/docker-tls',
    'docker-tls completion zsh > ~/.zfunc/_docker-tls',
    'docker-tls completion fish > ~/.config/fish/completions/docker-tls.fish',
    'docker-tls completion powershell >> $PROFILE',
  ],
  args: {
    shell: { summary: 'the shell', required: true, choices: ['bash', 'zsh', 'fish', 'powershell'] },
  },
  options: {},
  async run({ args }): Promise<CommandResult<CompletionDocument>> {
    const text = COMPLETION_SCRIPTS[args.shell];
    return { exit: 0, result: { shell: args.shell, script: text }, text };
  },
});
