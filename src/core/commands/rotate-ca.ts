/** `rotate ca`: a new CA in stages that can be stopped and resumed anywhere. */

import { defineCommand } from '../../cli/command.ts';
import { CA_OPTIONS, CLIENT_OPTIONS, STORED_OPTIONS } from '../../cli/host-options.ts';
import { rotateCa } from '../actions/rotate-ca.ts';
import { renderRotatedCa } from '../render/rotated-ca.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    "Stage 1: every host learns to accept clients of the old CA and of the new. Stage 2: hosts and clients get credentials of the new CA; hosts also send a certificate that the old CA has signed, so clients that have not fetched their new files keep working (without the old CA's key there is no such certificate, and stage 2 waits for --no-overlap). Stage 3 (--drop): the old CA is no longer accepted.\nEvery stage is verified on every host before the next. Stop anywhere: the same command goes on.",
  examples: ['docker-tls rotate ca --dry-run', 'docker-tls rotate ca --yes', 'docker-tls rotate ca --drop --yes'],
  args: {},
  options: {
    ...STORED_OPTIONS,
    ...CA_OPTIONS,
    keyType: CLIENT_OPTIONS.keyType,
    drop: { kind: 'flag', summary: 'stage 3: stop accepting the old CA' },
    new: { kind: 'flag', summary: 'begin another rotation although the last one is not dropped yet' },
    noOverlap: {
      kind: 'flag',
      summary: "stage 2 although the old CA's key is not here: clients that have not fetched new files lose access",
    },
    lostPassphrase: {
      kind: 'flag',
      summary: "begin without the old CA's passphrase: keys under it are deleted, the new CA gets another one",
    },
  },
  run: async (context) => renderRotatedCa(await rotateCa(context, context.options), context),
});
