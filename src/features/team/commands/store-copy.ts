/** `store copy --to`: a whole store into another one. */

import { defineCommand } from '../../../cli/command.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { plural } from '../../../core/domain/words.ts';
import { asWritten, usage } from '../../../errors/errors.ts';
import { copyStore } from '../actions/store-copy.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'The old store does not change. The files of a shared store on this computer, such as docker contexts, are written to the directory of --home with .team added: the output has the two commands that put it in place.\nA directory holds private keys in clear, as the default store does; for a backup see store export.',
  examples: [
    'docker-tls store copy --to git+ssh://git@git.example.org/ops/docker-tls.git',
    'docker-tls store copy --to /srv/docker-tls',
  ],
  args: {},
  options: { to: { kind: 'text', value: 'URL|DIR', summary: 'where to; nothing may be stored there yet' } },
  async run({ options, global, ...context }) {
    const { runtime } = context;
    if (options.to === undefined)
      throw usage('--to is missing', ['docker-tls store copy --to git+ssh://git@HOST/PATH.git']);
    const done = await copyStore({ ...context, global }, options.to);
    const { from, to, home, hosts, clients } = done;
    const what = `${plural(hosts, 'host')} and ${plural(clients, 'client')}`;
    const before = shellQuote(`${global.home}.before`);
    const next =
      home === undefined
        ? [asWritten(`${runtime.program} --home ${shellQuote(to)} status`)]
        : [
            `mv ${shellQuote(global.home)} ${before} && mv ${shellQuote(home)} ${shellQuote(global.home)}`,
            'docker-tls status',
          ];
    if (global.dryRun)
      return { exit: 0, result: { ...done, dryRun: true }, text: `would copy ${what} from ${from} to ${to}` };
    return { exit: 0, result: done, text: `copied ${what} from ${from} to ${to}, read it there again: the same`, next };
  },
});
