/** `schedule`: automatic renewals, printed, or installed as a systemd timer. */

import { defineCommand } from '../../cli/command.ts';
import { CA_OPTIONS, SSH_OPTIONS } from '../../cli/host-options.ts';
import { schedule } from '../actions/schedule.ts';
import { SCHEDULE_FORMS } from '../domain/schedule.ts';
import { renderSchedule } from '../render/schedule.ts';
import { offeredLines } from '../seams/seam.ts';
import { SHARED_STORE } from '../seams/stores.ts';

const JOBS = [
  ...offeredLines(SHARED_STORE, 'CI jobs are for any runner, with the store of a team (--store).'),
  'With a store in a directory, or with files for secrets, a CI job is for a runner of your own, whose disk keeps the store (--home).',
].join(' ');

export const command = defineCommand({
  scope: ['fleet', 'changes', 'store'],
  about: `Every day: rotate server --due, rotate client --due, status --check. ${JOBS}\nPrints; --install writes systemd's files. The CA's passphrase, and the password for sudo where hosts want one, come from files, 0600 (docs/schedule.md).`,
  examples: [
    'docker-tls schedule --install --ca-passphrase-file /root/ca-passphrase',
    '(crontab -l 2>/dev/null; docker-tls schedule --form cron --mail-to ops@example.org) | crontab -',
    'docker-tls schedule --form github -f fleet.yaml > .github/workflows/certificates.yml',
  ],
  args: {},
  options: {
    form: { kind: 'choice', choices: SCHEDULE_FORMS, summary: 'default systemd' },
    install: { kind: 'flag', summary: 'write the systemd units (root: for the system; else for the user)' },
    onFailure: { kind: 'text', value: 'COMMAND', summary: 'shell command that systemd runs when a renewal failed' },
    mailTo: { kind: 'text', value: 'ADDRESS', summary: 'where cron mails failures' },
    caPassphraseFile: CA_OPTIONS.caPassphraseFile,
    sudoPasswordFile: SSH_OPTIONS.sudoPasswordFile,
  },
  run: async (context) => renderSchedule(await schedule(context, context.options)),
});
