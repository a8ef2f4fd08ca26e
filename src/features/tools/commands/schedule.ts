/** `schedule`: automatic renewals, printed, or installed as a systemd timer. */

import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type CommandResult, defineCommand, type OptionSpecs, type OptionValues } from '../../../cli/command.ts';
import { CA_OPTIONS, SSH_OPTIONS } from '../../../cli/host-options.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { fleetSecrets } from '../../../core/actions/fleet-files.ts';
import { shownPath } from '../../../core/actions/input-output.ts';
import { storeOf, storeOptions } from '../../../core/actions/open-store.ts';
import { replaceFiles, withFileErrors } from '../../../core/adapters/docker/atomic-files.ts';
import { readSecretFile } from '../../../core/adapters/files/secret-file.ts';
import { storeUrl } from '../../../core/adapters/store/store-url.ts';
import { offeredLines, offeredWords } from '../../../core/seams/seam.ts';
import { SETTING_PLACES } from '../../../core/seams/setting-places.ts';
import { SHARED_STORE } from '../../../core/seams/stores.ts';
import { homeDirectory } from '../../../core/user.ts';
import { usage } from '../../../errors/errors.ts';
import { ownCommand } from '../adapters/own-command.ts';
import { environmentOf, renderCi } from '../domain/schedule-ci.ts';
import {
  missingPassphrase,
  renderCron,
  renderSystemd,
  SCHEDULE_FORMS,
  type ScheduleFile,
  type ScheduleForm,
} from '../domain/schedule-jobs.ts';

const JOBS = [
  ...offeredLines(SHARED_STORE, 'CI jobs are for any runner, with the store of a team (--store).'),
  'With a store in a directory, or with files for secrets, a CI job is for a runner of your own, whose disk keeps the store (--home).',
].join(' ');

export type ScheduleDocument =
  | {
      readonly form: 'cron' | 'github' | 'gitlab';
      readonly text: string;
      readonly warnings: readonly string[];
    }
  | {
      readonly form: 'systemd';
      readonly directory: string;
      readonly files: readonly { readonly name: string; readonly text: string }[];
      /** The files were written. */
      readonly installed: boolean;
      readonly warnings: readonly string[];
    };

const OPTIONS = {
  form: { kind: 'choice', choices: SCHEDULE_FORMS, summary: 'what to print (default: systemd)' },
  install: { kind: 'flag', summary: 'write the systemd units (root: for the system; else for the user)' },
  onFailure: { kind: 'text', value: 'COMMAND', summary: 'shell command that systemd runs when a renewal failed' },
  mailTo: { kind: 'text', value: 'ADDRESS', summary: 'where cron mails failures' },
  caPassphraseFile: CA_OPTIONS.caPassphraseFile,
  sudoPasswordFile: SSH_OPTIONS.sudoPasswordFile,
} as const satisfies OptionSpecs;

export const command = defineCommand({
  scope: ['fleet', 'changes', 'store'],
  about: `Every day: rotate server --due, rotate client --due, status --check. ${JOBS}\nPrints; --install writes systemd's files. The CA's passphrase, and the password for sudo where hosts want one, come from files, 0600 (docs/schedule.md).`,
  examples: [
    'docker-tls schedule --install --ca-passphrase-file /root/ca-passphrase',
    '(crontab -l 2>/dev/null; docker-tls schedule --form cron --mail-to ops@example.org) | crontab -',
    `docker-tls schedule --form github${offeredWords(SETTING_PLACES, ' -f fleet.yaml')} > .github/workflows/certificates.yml`,
  ],
  args: {},
  options: OPTIONS,
  run: async (context) => {
    const made = await schedule(context, context.options);
    // Not on stdout, which may go into a file.
    if (made.form === 'systemd' && !context.options.install) {
      const passphrase = made.warnings.length > 0 ? ' --ca-passphrase-file FILE' : '';
      context.progress.note(`To write these files: ${context.again({ option: `--install${passphrase}` })}`);
    }
    return renderSchedule(made);
  },
});

type ScheduleOptions = OptionValues<typeof OPTIONS>;

type Schedule = { readonly warnings: readonly string[] } & (
  | { readonly form: Exclude<ScheduleForm, 'systemd'>; readonly text: string }
  | {
      readonly form: 'systemd';
      readonly directory: string;
      readonly files: readonly ScheduleFile[];
      /** System-wide; otherwise for the user. */
      readonly system: boolean;
      readonly installed: boolean;
    }
);

async function schedule(context: ActionContext, options: ScheduleOptions): Promise<Schedule> {
  const { global, runtime, progress } = context;
  const { form = 'systemd', onFailure, mailTo } = options;
  refuseOptions(context, options);
  const secretFile = async (file: string | undefined, flag: string): Promise<string | undefined> => {
    if (file === undefined) return undefined;
    const path = resolve(runtime.cwd, file);
    // CI jobs read it on the runner.
    if (form === 'systemd' || form === 'cron') await readSecretFile(path, flag);
    return path;
  };
  const passphraseFile = await secretFile(options.caPassphraseFile, '--ca-passphrase-file');
  const sudoPasswordFile = await secretFile(options.sudoPasswordFile, '--sudo-password-file');
  const secrets = await fleetSecrets(context);
  const stored = storeOf(context);
  const store = storeUrl(storeOptions(context));
  const ofStore = /[?&]password=env:(\w+)/.exec(store ?? '')?.slice(1) ?? [];
  const references = [secrets?.caPassphrase, ...Object.values(secrets?.sudoPassword ?? {})];
  const environment = form === 'github' ? [...ofStore, ...environmentOf(references)] : [];
  // A CI runner has its own store and secret.
  const warnings =
    passphraseFile === undefined && (form === 'systemd' || form === 'cron')
      ? missingPassphrase(await stored.read(), secrets?.caPassphrase, form)
      : [];
  for (const warning of warnings) progress.note(warning);
  const settings = {
    ...{ environment, passphraseFile, sudoPasswordFile, onFailure, mailTo },
    program: ownCommand(),
    home: global.home,
    store,
    storeCommands: SHARED_STORE.all.flatMap(({ scheduled }) => scheduled),
    fleetFile: global.file,
    trusted: global.trustStoreSettings,
  };
  if (form === 'cron') return { form, text: renderCron(settings), warnings };
  if (form !== 'systemd') {
    // Relative to the checkout, unless it is a file of the runner.
    const inCheckout = global.file && shownPath(resolve(runtime.cwd, global.file), runtime.cwd);
    const ci = { ...settings, inCheckout, program: ['docker-tls'], version: DOCKER_TLS_VERSION };
    return { form, text: renderCi(form, ci), warnings };
  }
  const files = renderSystemd(settings);
  const system = process.getuid?.() === 0;
  const directory = system
    ? '/etc/systemd/system'
    : join(runtime.env.XDG_CONFIG_HOME ?? join(homeDirectory(runtime.env), '.config'), 'systemd', 'user');
  const installed = options.install && !global.dryRun;
  if (installed)
    await withFileErrors(directory, async () => {
      await mkdir(directory, { recursive: true });
      await replaceFiles(files.map((one) => ({ path: join(directory, one.name), data: one.text, mode: 0o644 })));
    });
  return { form, directory, files, system, installed, warnings };
}

/** Fails with E_USAGE (exit 2). */
function refuseOptions({ global }: ActionContext, { form = 'systemd', install, ...options }: ScheduleOptions): void {
  if (install && form !== 'systemd') throw usage('--install is for systemd', ['docker-tls schedule --install']);
  if (global.file === '-')
    throw usage('a schedule needs a fleet file that stays', ['docker-tls schedule -f fleet.yaml']);
  for (const text of [...Object.values(options), global.home, global.file])
    if (/[\u0000-\u001f]/.test(text ?? '')) throw usage('a value holds a newline or another control character', []);
}

function renderSchedule(schedule: Schedule): CommandResult<ScheduleDocument> {
  const { warnings } = schedule;
  if (schedule.form !== 'systemd') {
    const { form, text } = schedule;
    return { exit: 0, result: { form, text, warnings }, text, verbatim: true };
  }
  const { form, directory, files, system, installed } = schedule;
  const written = files.map(({ name, text }) => ({ name, text }));
  const result = { form, directory, files: written, installed, warnings };
  if (!installed) {
    const text = files.map((one) => `# ${join(directory, one.name)}\n${one.text}`).join('\n');
    return { exit: 0, result, text, verbatim: true };
  }
  const ctl = system ? 'systemctl' : 'systemctl --user';
  return {
    exit: 0,
    result,
    text: [
      `written: ${files.map((one) => join(directory, one.name)).join(', ')}`,
      '',
      `  ${ctl} daemon-reload`,
      `  ${ctl} enable --now docker-tls-renew.timer`,
      `  ${ctl} start docker-tls-renew.service   # once, to see that it works`,
      ...(system ? [] : ['  loginctl enable-linger "$USER"   # so that it runs while you are logged out']),
    ].join('\n'),
  };
}
