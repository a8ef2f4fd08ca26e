/** Owns `schedule`: what runs the renewals on their own, printed, or installed as a systemd timer. */

import { realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { renderCi, renderCron, renderSystemd, SCHEDULE_FORMS } from '../../actions/schedule.ts';
import { replaceFiles, withFileErrors } from '../../adapters/docker/files.ts';
import type { Runtime } from '../../runtime.ts';
import { homeDirectory } from '../../user.ts';
import { defineCommand } from '../command.ts';
import { readFleetText } from '../fleet-file.ts';
import { CA_OPTIONS, SSH_OPTIONS } from '../host-options.ts';
import { usage } from '../options.ts';
import { readSecretFile } from '../secrets.ts';

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
  async run({ options, global, runtime }) {
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
    const environment = form === 'github' && global.file !== undefined ? await environmentOf(global.file, runtime) : [];
    const settings = {
      environment,
      program: [process.execPath, realpathSync(process.argv[1] ?? 'docker-tls')],
      home: global.home,
      ...(global.file === undefined ? {} : { fleetFile: global.file }),
      ...(passphraseFile === undefined ? {} : { passphraseFile }),
      ...(sudoPasswordFile === undefined ? {} : { sudoPasswordFile }),
      ...(onFailure === undefined ? {} : { onFailure }),
      ...(mailTo === undefined ? {} : { mailTo }),
    };
    if (form !== 'systemd') {
      const text = form === 'cron' ? renderCron(settings) : renderCi(form, { ...settings, program: ['docker-tls'] });
      return { exit: 0, result: { form, text }, text };
    }
    const files = renderSystemd(settings);
    const system = process.getuid?.() === 0;
    const directory = system
      ? '/etc/systemd/system'
      : join(runtime.env.XDG_CONFIG_HOME ?? join(homeDirectory(runtime.env), '.config'), 'systemd', 'user');
    if (!options.install || global.dryRun) {
      const text = files.map((one) => `# ${join(directory, one.name)}\n${one.text}`).join('\n');
      return { exit: 0, result: { form, directory, files }, text };
    }
    await withFileErrors(directory, async () => {
      await mkdir(directory, { recursive: true });
      await replaceFiles(files.map((one) => ({ path: join(directory, one.name), data: one.text, mode: 0o644 })));
    });
    const ctl = system ? 'systemctl' : 'systemctl --user';
    return {
      exit: 0,
      result: { form, directory, files: files.map((one) => one.name) },
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

/** The environment variables that the fleet file takes secrets from. The file may be one of the runner's, and not here. */
async function environmentOf(file: string, runtime: Runtime): Promise<string[]> {
  const text = await readFleetText(resolve(runtime.cwd, file));
  if (text === undefined) return [];
  const { parseFleet } = await import('../../domain/fleet/fleet.ts');
  const { caPassphrase, sudoPassword } = parseFleet(text, file).secrets;
  const references = [...(caPassphrase === undefined ? [] : [caPassphrase]), ...Object.values(sudoPassword)];
  return [...new Set(references.flatMap((one) => (one.startsWith('env:') ? [one.slice(4)] : [])))];
}
