/** A schedule: the text of its files, or their installed paths. */

import { join } from 'node:path';
import type { CommandResult } from '../../cli/command.ts';
import type { Schedule } from '../actions/schedule.ts';

export function renderSchedule(schedule: Schedule): CommandResult {
  const { warnings } = schedule;
  if (schedule.form !== 'systemd') {
    const { form, text } = schedule;
    return { exit: 0, result: { form, text, warnings }, text, verbatim: true };
  }
  const { form, directory, files, system, installed } = schedule;
  if (!installed) {
    const text = files.map((one) => `# ${join(directory, one.name)}\n${one.text}`).join('\n');
    return { exit: 0, result: { form, directory, files, warnings }, text, verbatim: true };
  }
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
}
