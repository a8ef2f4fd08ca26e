/** `schedule`: files for automatic renewals, installed on request. */

import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { usage } from '../../errors/errors.ts';
import { replaceFiles, withFileErrors } from '../adapters/docker/files.ts';
import { readSecretFile } from '../adapters/files/secret.ts';
import { storeUrl } from '../adapters/store/store-url.ts';
import type { Fleet } from '../domain/fleet/fleet.ts';
import { parseFleet } from '../domain/fleet/fleet.ts';
import {
  missingPassphrase,
  renderCron,
  renderSystemd,
  type ScheduleFile,
  type ScheduleForm,
} from '../domain/schedule.ts';
import { renderCi } from '../domain/schedule-ci.ts';
import { environmentOf } from '../domain/secret-reference.ts';
import { ownCommand } from '../program.ts';
import type { Runtime } from '../runtime.ts';
import { homeDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { readFleetText, shownPath } from './read-fleet.ts';
import { optionsOf, storeOf } from './store.ts';

export type ScheduleOptions = {
  readonly form: ScheduleForm | undefined;
  readonly install: boolean;
  readonly onFailure: string | undefined;
  readonly mailTo: string | undefined;
  readonly caPassphraseFile: string | undefined;
  readonly sudoPasswordFile: string | undefined;
};

export type Schedule = { readonly warnings: readonly string[] } & (
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

export async function schedule(context: ActionContext, options: ScheduleOptions): Promise<Schedule> {
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
  const secrets = global.file === undefined ? undefined : await secretsOf(global.file, runtime);
  const stored = storeOf(context);
  const store = storeUrl(optionsOf(context));
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

/** The secrets of the fleet file, which may exist only on the runner. */
async function secretsOf(file: string, runtime: Runtime): Promise<Fleet['secrets'] | undefined> {
  const text = await readFleetText(resolve(runtime.cwd, file));
  if (text === undefined) return undefined;
  return parseFleet(text, file).secrets;
}
