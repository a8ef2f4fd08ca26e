/** Owns `schedule`: what runs the renewals on their own, printed, or installed as a systemd timer. */

import { realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readFleetText } from '../../actions/fleet-file.ts';
import { readSecretFile } from '../../actions/secrets.ts';
import { storeOf } from '../../actions/store.ts';
import { replaceFiles, withFileErrors } from '../../adapters/docker/files.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import type { Fleet } from '../../domain/fleet/fleet.ts';
import { isEncrypted } from '../../domain/pki/keys.ts';
import { renderCi, renderCron, renderSystemd, SCHEDULE_FORMS } from '../../domain/schedule.ts';
import { usage } from '../../errors/errors.ts';
import type { Runtime } from '../../runtime.ts';
import { homeDirectory } from '../../user.ts';
import { defineCommand } from '../command.ts';
import { CA_OPTIONS, SSH_OPTIONS } from '../host-options.ts';

export const command = defineCommand({
  name: 'schedule',
  summary: 'Renew on its own: a systemd timer, a cron line, or a CI job',
  about:
    "Every day: rotate server --due, rotate client --due, status --check. CI jobs are for a runner of your own, whose disk keeps the store: say where with --home.\nPrints; --install writes systemd's files. The CA's passphrase, and the password for sudo where hosts want one, come from files, 0600 (docs/schedule.md).",
  examples: [
    'docker-tls schedule --install --ca-passphrase-file /root/ca-passphrase',
    '(crontab -l 2>/dev/null; docker-tls schedule --form cron --mail-to ops@example.org) | crontab -',
    'docker-tls schedule --form github --home /var/lib/docker-tls > .github/workflows/certificates.yml',
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
  async run({ options, global, runtime, progress }) {
    const form = options.form ?? 'systemd';
    if (options.install && form !== 'systemd')
      throw usage('--install is for systemd', ['docker-tls schedule --install']);
    if (global.file === '-')
      throw usage('a schedule needs a fleet file that stays', ['docker-tls schedule -f fleet.yaml']);
    const { onFailure, mailTo, caPassphraseFile, sudoPasswordFile: sudoFile } = options;
    for (const text of [onFailure, mailTo, caPassphraseFile, sudoFile, global.home, global.file])
      if (/[\u0000-\u001f]/.test(text ?? '')) throw usage('a value holds a newline or another control character', []);
    const secretFile = async (file: string | undefined, flag: string): Promise<string | undefined> => {
      if (file === undefined) return undefined;
      const path = resolve(runtime.cwd, file);
      // CI jobs read it on the runner.
      if (form === 'systemd' || form === 'cron') await readSecretFile(path, flag);
      return path;
    };
    const passphraseFile = await secretFile(caPassphraseFile, '--ca-passphrase-file');
    const sudoPasswordFile = await secretFile(sudoFile, '--sudo-password-file');
    const secrets = global.file === undefined ? undefined : await secretsOf(global.file, runtime);
    const environment = form === 'github' && secrets !== undefined ? environmentOf(secrets) : [];
    // A runner of a CI system has a store and a secret of its own.
    const warnings =
      passphraseFile === undefined && (form === 'systemd' || form === 'cron')
        ? missingPassphrase(await storeOf({ global, runtime }).read(), secrets?.caPassphrase, form)
        : [];
    for (const warning of warnings) progress.note(warning);
    const settings = {
      environment,
      program: [process.execPath, realpathSync(process.argv[1] ?? 'docker-tls')],
      home: global.home,
      fleetFile: global.file,
      passphraseFile,
      sudoPasswordFile,
      onFailure,
      mailTo,
    };
    if (form !== 'systemd') {
      const text = form === 'cron' ? renderCron(settings) : renderCi(form, { ...settings, program: ['docker-tls'] });
      return { exit: 0, result: { form, text, warnings }, text, verbatim: true };
    }
    const files = renderSystemd(settings);
    const system = process.getuid?.() === 0;
    const directory = system
      ? '/etc/systemd/system'
      : join(runtime.env.XDG_CONFIG_HOME ?? join(homeDirectory(runtime.env), '.config'), 'systemd', 'user');
    if (!options.install || global.dryRun) {
      const text = files.map((one) => `# ${join(directory, one.name)}\n${one.text}`).join('\n');
      return { exit: 0, result: { form, directory, files, warnings }, text, verbatim: true };
    }
    await withFileErrors(directory, async () => {
      await mkdir(directory, { recursive: true });
      await replaceFiles(files.map((one) => ({ path: join(directory, one.name), data: one.text, mode: 0o644 })));
    });
    const ctl = system ? 'systemctl' : 'systemctl --user';
    return {
      exit: 0,
      result: { form, directory, files: files.map((one) => one.name), warnings },
      text: [
        `written: ${files.map((one) => join(directory, one.name)).join(', ')}`,
        '',
        `  ${ctl} daemon-reload && ${ctl} enable --now docker-tls-renew.timer`,
        `  ${ctl} start docker-tls-renew.service   # once, to see that it works`,
        ...(system ? [] : ['  loginctl enable-linger "$USER"   # so that it runs while you are logged out']),
      ].join('\n'),
    };
  },
});

/** What a schedule without the passphrase of the CA's key would come to, and the flag that gives it. */
function missingPassphrase({ ca, issuers }: StoreState, reference: string | undefined, form: string): string[] {
  const locked = [ca, ...issuers.values()].some((one) => one?.keyPem !== undefined && isEncrypted(one.keyPem));
  if (!locked || reference?.startsWith('file:') || reference?.startsWith('env:')) return [];
  const again = `docker-tls schedule${form === 'cron' ? ' --form cron' : ' --install'} --ca-passphrase-file FILE`;
  return [
    `the CA's key has a passphrase, which the schedule cannot ask for: every renewal would fail. Put it into a file that only you can read: ${again}`,
  ];
}

/** The secrets of the fleet file, which may be one of the runner's, and not here. */
async function secretsOf(file: string, runtime: Runtime): Promise<Fleet['secrets'] | undefined> {
  const text = await readFleetText(resolve(runtime.cwd, file));
  if (text === undefined) return undefined;
  const { parseFleet } = await import('../../domain/fleet/fleet.ts');
  return parseFleet(text, file).secrets;
}

/** The environment variables that the fleet file takes secrets from. */
function environmentOf({ caPassphrase, sudoPassword }: Fleet['secrets']): string[] {
  const references = [...(caPassphrase === undefined ? [] : [caPassphrase]), ...Object.values(sudoPassword)];
  return [...new Set(references.flatMap((one) => (one.startsWith('env:') ? [one.slice(4)] : [])))];
}
