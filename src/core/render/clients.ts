/** Added, revoked or renewed clients, together with the change of hosts. */

import type { CommandResult } from '../../cli/command.ts';
import type { Added, AddedClient } from '../actions/client-access.ts';
import type { Changed } from '../actions/results.ts';
import type { Renewed, RotatedClients } from '../actions/rotate-client.ts';
import { dateWords, listWords, plural } from '../domain/words.ts';
import { type Around, renderChange } from './change.ts';

export function renderAdded({ changed, clients, requested }: Added, around: Around): CommandResult {
  const { result, text, ...rest } = renderChange(changed, around);
  if (changed.planned !== undefined) {
    const issuing = clients.map(({ stored: _, ...client }) => client);
    const there = clients.filter(({ created }) => !created && changed.state.clients.size > 0);
    const named = listWords(
      there.map(({ client }) => client),
      10,
    );
    const lines = [text, ...(there.length > 0 ? [`there already: ${named}`] : [])].filter((line) => line !== '');
    return { ...rest, text: lines.join('\n\n'), result: { clients: issuing, ...result } };
  }
  const hosts = changed.results.length > 0;
  const lines = clients.flatMap((client) => addedWords(client, requested));
  const first = clients[0]?.client;
  const added = clients.flatMap(({ stored, ...client }) => (stored === undefined ? [] : [{ ...client, ...stored }]));
  return {
    ...rest,
    result: hosts ? { clients: added, ...result } : { clients: added },
    text: [...lines, ...(text === '' ? [] : ['', text])].join('\n'),
    next: hosts ? undefined : [`docker-tls client export ${first} --out ${first}.tar`],
  };
}

function addedWords({ client, created, changed, stored }: AddedClient, requested: Added['requested']): string[] {
  if (stored === undefined) return [];
  if (created) return [`client ${client}: until ${dateWords(stored.expires)}, in ${stored.directory}`];
  const now = changed ? `; now with ${settingsText(requested)}` : '';
  return [`client ${client} is there already, in ${stored.directory}${now}`];
}

/** The new settings of an existing client. */
function settingsText({ hosts, days, keyType }: Added['requested']): string {
  return [
    ...(hosts === undefined ? [] : [`access to ${listWords(hosts, 10)} only`]),
    ...(days === undefined ? [] : [`${plural(days, 'day')} from its next renewal on`]),
    ...(keyType === undefined ? [] : [`a key of kind ${keyType} from its next renewal on`]),
  ].join(', ');
}

export function renderRevoked(
  changed: Changed,
  around: Around & { readonly args: { readonly name: string } },
): CommandResult {
  const { name } = around.args;
  const { result, text, ...rest } = renderChange(changed, around);
  if (changed.planned !== undefined) return { ...rest, text, result: { client: name, ...result } };
  const hosts = changed.results.length;
  // Only a certificate that was actually tried counts.
  const everywhere = changed.results.every(
    (one) => one.kind === 'done' && one.value.checks.some(({ ok, revoked }) => ok && revoked === name),
  );
  const tried = everywhere ? ', tried with its own certificate' : '';
  const ending =
    rest.exit !== 0
      ? `${name} is revoked, but the hosts that failed still accept it: fix them, then run the same command again.`
      : hosts === 0
        ? `${name} is revoked; no host accepts it.`
        : `${name} is revoked: ${plural(hosts, 'host')} ${hosts === 1 ? 'rejects' : 'reject'} it${tried}.`;
  const { revokedAt } = changed.state.clients.get(name)?.record ?? {};
  return {
    ...rest,
    result: { client: name, revokedAt, ...result },
    text: [text, ending].filter((part) => part !== '').join('\n\n'),
  };
}

export function renderRotatedClients({ changed, clients }: RotatedClients, around: Around): CommandResult {
  const { result: planned, ...rest } = renderChange(changed, around);
  const nothing = clients.length === 0 ? ['Nothing is due.'] : [];
  if (changed.planned !== undefined) {
    const result = { ...planned, clients: clients.map(({ name }) => ({ client: name })) };
    return { ...rest, result, text: [...nothing, rest.text].join('\n').trim() };
  }
  const late = [...changed.copies].filter(
    ([name, { updated }]) => updated.length > 0 && !clients.some((one) => one.name === name),
  );
  const lines = [
    ...nothing,
    ...clients.map((one) => renewedWords(one, around.runtime.now())),
    ...late.map(([name, { updated }]) => `${name}: updated ${updated.join(', ')}`),
    ...(rest.text === '' ? [] : [rest.text]),
  ];
  const result = clients.map(({ name, before, after, copies, outdated }) => ({
    client: name,
    expires: after,
    oldExpires: before,
    contexts: copies?.contexts ?? [],
    configDirectory: copies?.directory ?? false,
    missing: copies?.missing ?? [],
    outdated,
  }));
  const left = clients.flatMap(({ name, outdated }) =>
    outdated.map(({ what, renew }) => `${name}, still with the old certificate: ${what}: ${renew}`),
  );
  const attention = [rest.attention ?? '', ...left].filter((line) => line !== '').join('\n');
  return { ...rest, result: { clients: result }, text: lines.join('\n'), attention };
}

function renewedWords({ name, before, after, copies, outdated }: Renewed, now: Date): string {
  const updated = copies?.updated ?? [];
  const left = Math.floor((before.getTime() - now.getTime()) / 86_400_000);
  return [
    `${name}: renewed until ${dateWords(after)}${updated.length > 0 ? `; updated ${updated.join(', ')}` : ''}`,
    ...(before > now ? [`  the old certificate stays valid until ${dateWords(before)} (${plural(left, 'day')})`] : []),
    ...(outdated.length > 0 ? ['  still with the old certificate:'] : []),
    ...outdated.map(({ what, renew }) => `    ${what}: ${renew}`),
  ].join('\n');
}
