/** `audit --probe-containers`: what will be done on the hosts, and the question before. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { agree } from '../../../core/actions/ask.ts';
import { listWords, plural } from '../../../core/domain/words.ts';

const STEPS = [
  'an image of some megabytes from its own perl and cat, without a registry; a network; four containers, with the label docker-tls.probe',
  "they try: services of ours on 127.0.0.1 and on docker0 (or an address of the host), Docker's API, 169.254.169.254 (nothing is read), each other, a raw packet,",
  '  system calls that the default profile forbids, and to become root; nothing of the host or of other containers is touched',
  'all of it is removed after some ten seconds, also when the connection breaks',
];

/** Shows the plan, and asks for all hosts at once; in a dry run it only shows. Fails with E_DECLINED, E_NO_TERMINAL. */
export async function agreeToContainers(
  { global, prompts, progress }: Pick<ActionContext, 'global' | 'prompts' | 'progress'>,
  specs: readonly { readonly name: string }[],
): Promise<void> {
  const names = listWords(
    specs.map(({ name }) => name),
    10,
  );
  const plan = [`Each of ${names} makes:`, ...STEPS.map((step) => `  ${step}`)].join('\n');
  if (global.dryRun) return progress.note(`${plan}\nNothing of it was done: --dry-run`);
  if (prompts.interactive) await prompts.show(`${plan}\n\n`);
  await agree(prompts, `Try the isolation of containers on ${plural(specs.length, 'host')}?`);
}
