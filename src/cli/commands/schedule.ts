/** Owns `schedule`: what runs the renewals on their own, printed, or installed as a systemd timer. */

import { realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { replaceFiles, withFileErrors } from '../../docker/files.ts';
import { homeFolder } from '../../user.ts';
import { renderCi, renderCron, renderSystemd, SCHEDULE_FORMS } from '../../workflows/schedule.ts';
import { defineCommand } from '../command.ts';
import { CA_OPTIONS, readSecretFile } from '../host-options.ts';
import { usage } from '../options.ts';

export const command = defineCommand({
  name: 'schedule',
  summary: 'Renew on its own: a systemd timer, a cron line, or a CI job',
  about:
    'Every day: rotate server --due, rotate client --due, status --check. systemd and cron renew; CI jobs only check, since what they renewed would be lost.\nPrints; --install writes systemd’s files. The CA’s passphrase comes from a file, 0600 (docs/schedule.md).',
  examples: [
    'docker-tls schedule --install --ca-passphrase-file /root/ca-passphrase',
    'docker-tls schedule --form cron --mail-to ops@example.org | crontab -',
  ],
  args: {},
  options: {
    form: { kind: 'choice', choices: SCHEDULE_FORMS, summary: 'default systemd' },
    install: { kind: 'flag', summary: 'write the systemd units (root: for the system; else for the user)' },
    onFailure: { kind: 'text', value: 'COMMAND', summary: 'shell command that systemd runs when a renewal failed' },
    mailTo: { kind: 'text', value: 'ADDRESS', summary: 'where cron mails failures' },
    caPassphraseFile: CA_OPTIONS.caPassphraseFile,
  },
  async run({ options, global, runtime }) {
    const form = options.form ?? 'systemd';
    if (options.install && form !== 'systemd')
      throw usage('--install is for systemd', ['docker-tls schedule --install']);
    for (const text of [options.onFailure, options.mailTo, options.caPassphraseFile, global.home])
      if (/[\u0000-\u001f]/.test(text ?? '')) throw usage('a value holds a newline or another control character', []);
    const file = options.caPassphraseFile === undefined ? undefined : resolve(runtime.cwd, options.caPassphraseFile);
    if (file !== undefined) await readSecretFile(file, '--ca-passphrase-file');
    const settings = {
      program: [process.execPath, realpathSync(process.argv[1] ?? 'docker-tls')],
      home: global.home,
      ...(file === undefined ? {} : { passphraseFile: file }),
      ...(options.onFailure === undefined ? {} : { onFailure: options.onFailure }),
      ...(options.mailTo === undefined ? {} : { mailTo: options.mailTo }),
    };
    if (form !== 'systemd') {
      const text = form === 'cron' ? renderCron(settings) : renderCi(form);
      return { exit: 0, result: { form, text }, text };
    }
    const files = renderSystemd(settings);
    const system = process.getuid?.() === 0;
    const folder = system
      ? '/etc/systemd/system'
      : join(runtime.env.XDG_CONFIG_HOME ?? join(homeFolder(runtime.env), '.config'), 'systemd', 'user');
    if (!options.install || global.dryRun) {
      const text = files.map((one) => `# ${join(folder, one.name)}\n${one.text}`).join('\n');
      return { exit: 0, result: { form, folder, files }, text };
    }
    await withFileErrors(folder, async () => {
      await mkdir(folder, { recursive: true });
      await replaceFiles(files.map((one) => ({ path: join(folder, one.name), data: one.text, mode: 0o644 })));
    });
    const ctl = system ? 'systemctl' : 'systemctl --user';
    return {
      exit: 0,
      result: { form, folder, files: files.map((one) => one.name) },
      text: [
        `written: ${files.map((one) => join(folder, one.name)).join(', ')}`,
        '',
        `  ${ctl} daemon-reload && ${ctl} enable --now docker-tls-renew.timer`,
        `  ${ctl} start docker-tls-renew.service   # once, to see that it works`,
        ...(system ? [] : ['  loginctl enable-linger "$USER"   # so that it runs while you are logged out']),
      ].join('\n'),
    };
  },
});
