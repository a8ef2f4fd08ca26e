/** Questions of `setup` as data: text, alternative sources of the answer, and validation. */

import type { StoreState } from '../../../core/adapters/store/records.ts';
import { parseDestination } from '../../../core/domain/destination.ts';
import { nameProblem } from '../../../core/domain/names.ts';
import { optionFlag } from '../../../core/domain/option-flag.ts';
import { type OtherClients, otherClientsNotes } from '../../../core/domain/plan/other-clients.ts';
import { fleetKey, type Setting } from '../../../core/domain/setting.ts';
import { readSetting, refusal } from '../../../core/domain/setting-problems.ts';
import { type FieldsWith, HOST_SETTINGS, type HostSettings } from '../../../core/domain/settings.ts';
import { COPIES } from '../../../core/seams/copies.ts';
import { offeredCommands } from '../../../core/seams/offered-commands.ts';
import { offeredWords } from '../../../core/seams/seam.ts';
import { SSH_CONFIG } from '../../../core/seams/ssh-config.ts';
import type { DockerTlsError } from '../../../errors/errors.ts';

/** `problem`: why the previous answer did not lead to a host. */
export function hostQuestion(problem?: DockerTlsError) {
  return {
    explain:
      problem === undefined
        ? `Which host? As ssh reaches it: root@build-1.example.org, admin@10.0.0.7:2222${offeredWords(SSH_CONFIG, ', a name of ~/.ssh/config')}; or local.`
        : [problem.message, ...problem.hints].join('\n'),
    message: 'Host:',
    flag: 'HOST',
    typedAs: (text: string) => [text.trim()],
    validate: refusal((text) => parseDestination(text.trim())),
  };
}

export function nameQuestion(proposed: string, { hosts }: Pick<StoreState, 'hosts'>) {
  return {
    explain: 'Name for this host (used by docker-tls status, env, verify …)',
    message: 'Name:',
    default: proposed,
    flag: '--name',
    typedAs: (text: string) => ['--name', text],
    validate: (text: string) => nameProblem(text) ?? (hosts.has(text) ? 'There is a host of that name.' : true),
  };
}

/** The settings that the wizard asks about. */
type AskedField = FieldsWith<typeof HOST_SETTINGS, { readonly question: object }>;

/** In the order of the table, which is the order of the wizard. */
export const ASKED = Object.entries<Setting>(HOST_SETTINGS).flatMap(([field, { question }]) =>
  question === undefined ? [] : [field as AskedField],
);

/** The question of a setting from its table; `read` converts an answer to a value. */
export function settingQuestion<F extends AskedField>(field: F, more = '') {
  const setting: Setting = HOST_SETTINGS[field];
  const { message = '', explain = '' } = setting.question ?? {};
  const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '');
  const read = (text: string) =>
    readSetting(setting, setting.kind === 'list' ? words(text) : text.trim(), '') as NonNullable<HostSettings[F]>;
  const flag = optionFlag(setting.flag?.name ?? field);
  const typedAs = (text: string) =>
    (setting.kind === 'list' ? words(text) : [text.trim()]).flatMap((word) => (word === '' ? [] : [flag, word]));
  const source = { flag, key: fleetKey(field, setting), typedAs };
  return { message, explain: `${explain} ${more}`.trimEnd(), ...source, validate: refusal(read), read };
}

export function clientQuestion(proposed: string) {
  return {
    explain: "Who are you? Your certificate gets this name; the daemon's authorization plugins see it as the user.",
    message: 'Client:',
    default: proposed,
    flag: '--client',
    typedAs: (text: string) => ['--client', text],
    key: 'clients',
    validate: (text: string) => nameProblem(text) ?? true,
  };
}

/** How clients reach a port that this machine cannot connect to. `closed`: why the ssh route fails too. */
export function wayQuestion(host: string, via: string, problem: DockerTlsError, closed: DockerTlsError | undefined) {
  return {
    explain: [problem.message, ...(problem.details ?? [])].join('\n'),
    message: 'How do clients reach it?',
    choices: [
      {
        value: 'ssh',
        name: [`through ${via}`, ...offeredCommands('tunnel', host)].join(': '),
        description: `As --reach ssh: verified through SSH.${offeredWords(COPIES, ' docker-tls makes no docker context, because docker dials the port itself.')}`,
        disabled: closed && `(${closed.message})`,
        typedAs: ['--reach', 'ssh'],
      },
      { value: 'address', name: 'by another name or address' },
      { value: 'end', name: 'end here, and open the port first', description: problem.hints.join('\n') },
    ],
    default: closed === undefined ? 'ssh' : 'address',
    flag: '--reach ssh, or --address NAME',
    key: `hosts.${host}.reach`,
  } as const;
}

/** Whether to keep accepting clients of another CA that the daemon accepts now. */
export function otherClientsQuestion(host: string, others: OtherClients) {
  const stay = {
    value: 'accept',
    name: 'keep accepting them, as well as ours',
    description: 'Their ca.pem needs our CA as well, because it signs the new server certificate.',
    typedAs: ['--accept-ca', 'existing'],
  } as const;
  return {
    explain: `This daemon has clients already: ${otherClientsNotes(others).join('; ')}.`,
    message: 'Keep accepting them?',
    choices: [
      ...(others.losing.length > 0 ? [stay] : []),
      { value: 'reject', name: 'they are rejected from now on', typedAs: ['--reject-other-clients'] },
      {
        value: 'end',
        name: ['end here', ...offeredCommands('own-ca').map((one) => `and import their CA first: ${one}`)].join(', '),
      },
    ],
    flag: '--accept-ca existing, or --reject-other-clients',
    key: `hosts.${host}.accept-ca`,
  } as const;
}
