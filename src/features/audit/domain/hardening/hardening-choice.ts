/** Fixes chosen by flags of `harden`, and texts for rejected, skipped and unapplied ones. */

import type { StoreState } from '../../../../core/adapters/store/records.ts';
import { destinationWords, nameOf } from '../../../../core/domain/destination.ts';
import { shellQuote } from '../../../../core/domain/quote.ts';
import { completeHost, type HostSpec } from '../../../../core/domain/settings.ts';
import { DockerTlsError, usage } from '../../../../errors/errors.ts';
import { BANNER_TEXT, type FixName } from '../fix-names.ts';
import { authTriesOf, chooseFixes, FIXES, leftOutWords, type Profile, recordHardening } from './hardening.ts';

export type HardenFlags = {
  readonly only: readonly string[];
  readonly profile?: Profile | undefined;
  readonly accept: readonly string[];
  readonly install: readonly string[];
  readonly maxAuthTries?: number | undefined;
  readonly banner?: string | undefined;
};

/** Fails with E_USAGE (exit 2) for unknown fixes and for options of fixes that are not chosen. */
export function fixesByFlags({ maxAuthTries, banner, install, ...flags }: HardenFlags): ReturnType<typeof chooseFixes> {
  const only = flags.only.map((name) => fixNamed(name, '--only'));
  const accepted = flags.accept.filter((name) => !install.includes(name)).map((name) => fixNamed(name, '--accept'));
  const choice = chooseFixes({ only, profile: flags.profile ?? 'cis', accepted });
  const { fixes, leftOut, notChosen } = choice;
  if (notChosen.length > 0)
    throw usage(`--accept ${notChosen.join(',')}: not among the fixes that are chosen`, [
      `docker-tls harden --only ${notChosen.join(',')} --accept ${notChosen.join(',')}`,
      'docker-tls harden --list',
    ]);
  if (maxAuthTries !== undefined && !fixes.includes('sshd'))
    throw usage('--max-auth-tries: the fix sshd, which it is about, is not among those that are chosen', [
      `docker-tls harden --only sshd --max-auth-tries ${maxAuthTries}`,
    ]);
  if (fixes.length === 0) throw usage('no fix remains', [...leftOut.map(leftOutWords), 'docker-tls harden --list']);
  if (banner !== undefined && !fixes.includes('banner'))
    throw usage('--banner: the fix banner is not among those that are chosen', ['docker-tls harden --only banner']);
  const problem = banner === undefined || bannerProblem(banner);
  if (problem !== true) throw usage(`--banner: ${problem}`, [`--banner ${shellQuote(BANNER_EXAMPLE)}`]);
  return choice;
}

export const BANNER_EXAMPLE =
  'Authorized users only. Use of this system is monitored and recorded. Unauthorized access is prohibited and may be prosecuted by law.';

export function bannerProblem(text: string): true | string {
  return BANNER_TEXT.test(text) || 'it has to be one line of text, without \\';
}

function fixNamed(name: string, flag: string): FixName {
  const fix = FIXES.find((one) => one.name === name);
  if (fix !== undefined) return fix.name;
  throw usage(`${flag} ${name}: there is no such fix`, [
    name === 'tls' ? 'docker-tls setup HOST' : `there are: ${FIXES.map((one) => one.name).join(', ')}`,
  ]);
}

/** The host with these fixes added to its recorded ones. Fails with E_NOT_SET_UP (exit 2). */
export function hardenedHost(
  spec: HostSpec,
  { hosts }: Pick<StoreState, 'hosts'>,
  fixes: readonly FixName[],
  settings: Parameters<typeof recordHardening>[1],
): HostSpec & Required<Pick<HostSpec, 'harden'>> {
  const record = hosts.get(spec.name)?.record;
  if (record === undefined) throw notSetUp(spec);
  const entries = [...(spec.harden ?? []), ...(record.harden ?? []), ...fixes];
  // Another user of the same host may harden it: recorded facts of the host stay.
  const base = { ...completeHost(record), ...spec, address: spec.address };
  return { ...base, harden: recordHardening(entries, settings) };
}

function notSetUp({ name, ssh }: HostSpec): DockerTlsError {
  const named = name === nameOf(ssh.destination) ? '' : ` --name ${shellQuote(name)}`;
  return new DockerTlsError('E_NOT_SET_UP', 'this store has not set it up; hardening needs that, for the rollback', {
    where: name,
    hints: [`docker-tls setup ${shellQuote(destinationWords(ssh))}${named}`],
  });
}

/** Texts for other requested settings that were not applied: a banner without text, a higher MaxAuthTries. */
export function unmadeWords(
  hosts: readonly { readonly name: string; readonly harden: readonly string[] }[],
  fixes: readonly FixName[],
  maxAuthTries: number | undefined,
): string[] {
  const wordless = fixes.includes('banner') && hosts.some(({ harden }) => !harden.includes('banner'));
  const stricter = maxAuthTries === undefined ? [] : hosts.filter(({ harden }) => authTriesOf(harden) < maxAuthTries);
  return [
    ...(wordless ? ['left out: banner, since its words are yours; to make it: --banner TEXT'] : []),
    ...stricter.map(
      ({ name, harden }) =>
        `${name}: MaxAuthTries stays ${authTriesOf(harden)}, as an earlier run asked for; to allow more: docker-tls rollback ${shellQuote(name)}`,
    ),
  ];
}
