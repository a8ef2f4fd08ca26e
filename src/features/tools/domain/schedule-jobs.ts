/** Automatic renewal: systemd units and a crontab line (jobs of CI systems: schedule-ci.ts). Pure. */

import type { StoreState } from '../../../core/adapters/store/records.ts';
import { isEncrypted } from '../../../core/domain/pki/keys.ts';
import { shellQuote } from '../../../core/domain/quote.ts';

export const SCHEDULE_FORMS = ['systemd', 'cron', 'github', 'gitlab'] as const;
export type ScheduleForm = (typeof SCHEDULE_FORMS)[number];

export type ScheduleOptions = {
  /** Absolute command of the program: the words before `rotate`. */
  readonly program: readonly string[];
  /** Absolute path of the store, or of this computer's files for a shared store. Absent on a runner without persistent files. */
  readonly home?: string;
  /** Address of a shared store. */
  readonly store?: string | undefined;
  /** Commands that keep a shared store usable. */
  readonly storeCommands?: readonly string[];
  /** Absolute path of the fleet file: limits the job to its hosts, and names secrets. */
  readonly fleetFile?: string;
  /** File (0600) with the CA's passphrase; absent for an unencrypted key. */
  readonly passphraseFile?: string;
  /** File (0600) with the sudo password of the hosts; absent if sudo needs none. */
  readonly sudoPasswordFile?: string;
  /** Further environment variables that the fleet file names; they are GitHub secrets of the same names. */
  readonly environment?: readonly string[];
  /** Shell command for systemd's OnFailure; default: the journal only. */
  readonly onFailure?: string;
  /** IDs of shared store settings that the jobs accept (store-settings.ts). */
  readonly trusted?: readonly string[];
  /** Address for cron's failure mail. */
  readonly mailTo?: string;
};

export type ScheduleFile = { readonly name: string; readonly text: string };

/** Secret files as shell text; under systemd these are credentials with other paths. */
type SecretFiles = { readonly passphrase: string | undefined; readonly sudoPassword: string | undefined };

/** Each command runs even if the previous one failed. `quiet`: they report only problems. */
export function commandsOf(
  { program, home, store: url, storeCommands = [], fleetFile, trusted = [] }: ScheduleOptions,
  files: SecretFiles,
  quiet: '' | ' --quiet' = '',
): string[] {
  const words = program.map(shellQuote).join(' ');
  const shared = url === undefined ? '' : ` --store ${shellQuote(url)}`;
  const here = home === undefined ? '' : ` --home ${shellQuote(home)}`;
  const store = `${shared}${here}${fleetFile === undefined ? '' : ` -f ${shellQuote(fleetFile)}`}`;
  const passphrase = files.passphrase === undefined ? '' : ` --ca-passphrase-file ${files.passphrase}`;
  const sudo = files.sudoPassword === undefined ? '' : ` --sudo-password-file ${files.sudoPassword}`;
  const signs = trusted.map((id) => ` --trust-store-settings ${shellQuote(id)}`).join('');
  return [
    `${words} rotate server --due --yes${quiet}${store}${passphrase}${sudo}${signs}`,
    `${words} rotate client --due --yes${quiet}${store}${passphrase}${signs}`,
    ...(url === undefined ? [] : storeCommands.map((one) => `${words} ${one}${quiet}${store}${sudo}${signs}`)),
    `${words} status --check${quiet}${store}${sudo}${url === undefined ? '' : signs}`,
  ];
}

function runAll(commands: readonly string[]): string {
  return ['bad=0', ...commands.map((one) => `${one} || bad=1`), 'exit $bad'].join('; ');
}

export function filesAsNamed({ passphraseFile, sudoPasswordFile }: ScheduleOptions): SecretFiles {
  const quoted = (path: string | undefined) => (path === undefined ? undefined : shellQuote(path));
  return { passphrase: quoted(passphraseFile), sudoPassword: quoted(sudoPasswordFile) };
}

/** A service, a timer, and a failure service. systemd reads the secrets (LoadCredential=), so no other process sees them. */
export function renderSystemd(options: ScheduleOptions): ScheduleFile[] {
  const credentials = [
    { name: 'ca-passphrase', path: options.passphraseFile },
    { name: 'sudo-password', path: options.sudoPasswordFile },
  ] as const;
  const [passphrase, sudoPassword] = credentials.map(({ name, path }) =>
    path === undefined ? undefined : `"$CREDENTIALS_DIRECTORY/${name}"`,
  );
  const script = runAll(commandsOf(options, { passphrase, sudoPassword }, ' --quiet'));
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
    ...credentials.flatMap(({ name, path }) =>
      path === undefined ? [] : [`LoadCredential=${name}:${path.replaceAll('%', '%%')}`],
    ),
    // One shell for all three: a oneshot service with three ExecStart= would stop at the first failure.
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

/** For `crontab -e`: silent on success, so that mail means trouble. */
export function renderCron(options: ScheduleOptions): string {
  const line = runAll(commandsOf(options, filesAsNamed(options), ' --quiet'));
  // An unescaped percent sign ends a crontab line.
  const escaped = line.replaceAll('%', '\\%');
  return [...(options.mailTo === undefined ? [] : [`MAILTO=${options.mailTo}`]), `23 4 * * * ${escaped}`, ''].join(
    '\n',
  );
}

/** A word of ExecStart= (systemd.service(5), "Command lines"). */
function unitWord(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('%', '%%').replaceAll('$', '$$$$').replaceAll('"', '\\"');
  return /^[A-Za-z0-9_./:@+=-]+$/.test(word) ? word : `"${escaped}"`;
}

/** Warning that a schedule lacks the CA passphrase, with the flag that adds it. */
export function missingPassphrase(
  { ca, issuers }: Pick<StoreState, 'ca' | 'issuers'>,
  reference: string | undefined,
  form: string,
): string[] {
  const locked = [ca, ...issuers.values()].some((one) => one?.keyPem !== undefined && isEncrypted(one.keyPem));
  if (!locked || reference?.startsWith('file:') || reference?.startsWith('env:')) return [];
  const again = `docker-tls schedule${form === 'cron' ? ' --form cron' : ' --install'} --ca-passphrase-file FILE`;
  return [
    `the CA's key has a passphrase, which the schedule cannot ask for: every renewal would fail. Put it into a file that only you can read: ${again}`,
  ];
}
