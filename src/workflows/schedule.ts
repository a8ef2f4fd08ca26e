/** Owns the texts that run renewals on their own: systemd units, a crontab line, jobs of GitHub and GitLab. Pure. */

import { shellQuote } from '../daemon/quote.ts';

export const SCHEDULE_FORMS = ['systemd', 'cron', 'github', 'gitlab'] as const;
export type ScheduleForm = (typeof SCHEDULE_FORMS)[number];

export type ScheduleOptions = {
  /** How the program is called, absolute: the words before `rotate`. */
  readonly program: readonly string[];
  /** The store, absolute. */
  readonly home: string;
  /** A file, 0600, with the CA's passphrase; absent where its key has none. */
  readonly passphraseFile?: string;
  /** A shell command for systemd's OnFailure; default: the journal alone. */
  readonly onFailure?: string;
  /** Where cron mails what went wrong. */
  readonly mailTo?: string;
};

export type ScheduleFile = { readonly name: string; readonly text: string };

const CREDENTIAL = 'ca-passphrase';

/** Three commands, each tried whatever became of the one before. `passphrase` is shell text. */
function commandsOf({ program, home }: ScheduleOptions, passphrase: string): string[] {
  const words = program.map(shellQuote).join(' ');
  const store = `--home ${shellQuote(home)}`;
  return [
    `${words} rotate server --due --yes ${store}${passphrase}`,
    `${words} rotate client --due --yes ${store}${passphrase}`,
    `${words} status --check ${store}`,
  ];
}

/** A service, a timer, and a service for failures. systemd itself reads the passphrase (LoadCredential=), and no other process sees it. */
export function renderSystemd(options: ScheduleOptions): ScheduleFile[] {
  const passphrase =
    options.passphraseFile === undefined ? '' : ` --ca-passphrase-file "$CREDENTIALS_DIRECTORY/${CREDENTIAL}"`;
  const script = `bad=0; ${commandsOf(options, passphrase)
    .map((one) => `${one} || bad=1`)
    .join('; ')}; exit $bad`;
  const service = [
    '[Unit]',
    'Description=Renew certificates of Docker hosts (docker-tls)',
    'Wants=network-online.target',
    'After=network-online.target',
    ...(options.onFailure === undefined ? [] : ['OnFailure=docker-tls-renew-failed.service']),
    '',
    '[Service]',
    'Type=oneshot',
    'UMask=0077',
    ...(options.passphraseFile === undefined
      ? []
      : [`LoadCredential=${CREDENTIAL}:${options.passphraseFile.replaceAll('%', '%%')}`]),
    // One shell for all three: a oneshot service with three ExecStart= would end at the first that fails.
    `ExecStart=/bin/sh -c ${unitWord(script)}`,
    '',
  ].join('\n');
  const timer = [
    '[Unit]',
    'Description=Renew certificates of Docker hosts every day (docker-tls)',
    '',
    '[Timer]',
    'OnCalendar=daily',
    'RandomizedDelaySec=2h',
    'Persistent=true',
    '',
    '[Install]',
    'WantedBy=timers.target',
    '',
  ].join('\n');
  const failed = [
    '[Unit]',
    'Description=Tell that the renewal of certificates failed (docker-tls)',
    '',
    '[Service]',
    'Type=oneshot',
    `ExecStart=/bin/sh -c ${unitWord(options.onFailure ?? '')}`,
    '',
  ].join('\n');
  return [
    { name: 'docker-tls-renew.service', text: service },
    { name: 'docker-tls-renew.timer', text: timer },
    ...(options.onFailure === undefined ? [] : [{ name: 'docker-tls-renew-failed.service', text: failed }]),
  ];
}

/** For `crontab -e`: silent when all went well, so that mail means trouble. */
export function renderCron(options: ScheduleOptions): string {
  const passphrase =
    options.passphraseFile === undefined ? '' : ` --ca-passphrase-file ${shellQuote(options.passphraseFile)}`;
  const commands = commandsOf(options, passphrase);
  const line = `out=$(${commands.map((one) => `${one} 2>&1 || bad=1`).join('; ')}; exit \${bad:-0}) || { printf "\\%s\\n" "$out"; exit 1; }`;
  // In a crontab a percent sign is the end of the line unless it is escaped.
  const escaped = line.replace(/(?<!\\)%/g, '\\%');
  return [...(options.mailTo === undefined ? [] : [`MAILTO=${options.mailTo}`]), `23 4 * * * ${escaped}`, ''].join(
    '\n',
  );
}

/** The store travels as a secret of the CI system; see docs/schedule.md before taking this way. */
export function renderCi(form: 'github' | 'gitlab'): string {
  const restore = [
    'umask 077; mkdir -p "$RUNNER_HOME_TLS" "$HOME/.ssh"',
    'printf %s "$DOCKER_TLS_STORE" | base64 -d | tar -xf - -C "$RUNNER_HOME_TLS"',
    'printf "%s\\n" "$SSH_PRIVATE_KEY" > "$HOME/.ssh/id_ed25519"',
    'printf "%s\\n" "$SSH_KNOWN_HOSTS" > "$HOME/.ssh/known_hosts"',
  ];
  // What is renewed has to outlive the job, so CI checks and tells; the store stays where it is.
  const check = 'npx --yes docker-tls status --check --within 30d --home "$RUNNER_HOME_TLS"';
  if (form === 'github') {
    return `name: certificates of Docker hosts
on:
  schedule: [{ cron: '23 4 * * *' }]
  workflow_dispatch: {}
permissions: { contents: read }
jobs:
  check:
    runs-on: ubuntu-latest
    env:
      RUNNER_HOME_TLS: \${{ runner.temp }}/tls
      DOCKER_TLS_STORE: \${{ secrets.DOCKER_TLS_STORE }}
      SSH_PRIVATE_KEY: \${{ secrets.SSH_PRIVATE_KEY }}
      SSH_KNOWN_HOSTS: \${{ vars.SSH_KNOWN_HOSTS }}
    steps:
      - run: |
${[...restore, check].map((line) => `          ${line}`).join('\n')}
`;
  }
  return `certificates:
  image: node:20
  rules: [{ if: '$CI_PIPELINE_SOURCE == "schedule"' }]
  variables: { RUNNER_HOME_TLS: $CI_PROJECT_DIR/.tls }
  script:
${[...restore, check].map((line) => `    - '${line.replaceAll("'", "''")}'`).join('\n')}
  after_script: ['rm -rf "$RUNNER_HOME_TLS"']
`;
}

/** A word of ExecStart= (systemd.service(5), "Command lines"). */
function unitWord(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('%', '%%').replaceAll('$', '$$$$').replaceAll('"', '\\"');
  return /^[A-Za-z0-9_./:@+=-]+$/.test(word) ? word : `"${escaped}"`;
}
