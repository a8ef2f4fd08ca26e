/** Output of a shared store's operators, and the consequences of a removal. */

import type { CommandResult } from '../../../cli/command.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { Around } from '../../../core/render/change.ts';
import { coloursOf } from '../../../core/render/colours.ts';
import { renderTable } from '../../../core/render/table.ts';
import { asWritten } from '../../../errors/errors.ts';
import type { Operator, OperatorList, Removed } from '../actions/operators.ts';

export function renderOperators(
  { store, signer, operators }: OperatorList,
  { runtime: { io } }: Around,
): CommandResult {
  const result = { store, signer, operators };
  if (operators.length === 0)
    return {
      exit: 0,
      result,
      text: `${store} has no operator yet. Make it yours with:`,
      next: ['docker-tls operator add NAME'],
    };
  const table = renderTable(
    [{ title: 'OPERATOR' }, { title: 'CA' }, { title: 'CLIENT' }, { title: 'SINCE' }, { title: 'KEY', shrinkTo: 20 }],
    operators.map((one) => [
      one.name,
      one.ca ? 'opens' : 'no',
      one.client ?? '',
      one.addedAt.slice(0, 10),
      one.recipient.startsWith('ssh-') ? `${one.recipient.slice(0, 12)}…${one.recipient.slice(-16)}` : one.recipient,
    ]),
    { columns: io.columns, titleStyle: coloursOf(io).dim },
  );
  return { exit: 0, result, text: `${table}\n${store} is signed by ${signer}` };
}

export function renderAdded(
  operator: Operator,
  { dryRun, store }: { readonly dryRun: boolean; readonly store: string },
): CommandResult {
  const { name, ca, client } = operator;
  const can = ca
    ? 'can open the CA, and change the store'
    : `can look${client === undefined ? '' : ' and verify'}, but not open the CA${client === undefined ? '' : `; the key of client ${client} is readable`}`;
  return {
    exit: 0,
    result: { operator, dryRun: dryRun || undefined },
    text: dryRun ? `would add operator ${name}, who ${can}` : `operator ${name}: ${can}`,
    next: dryRun
      ? undefined
      : [asWritten(`on that computer: docker-tls --store ${shellQuote(store)} status`), 'docker-tls operator list'],
  };
}

export function renderRemoved({ removed, left, hasCa }: Removed, dryRun: boolean): CommandResult {
  const { name, ca, client } = removed;
  const next = [
    ...(ca && hasCa ? ['a new CA, and new certificates for every host and client: docker-tls rotate ca'] : []),
    ...(client === undefined ? [] : [`docker-tls client revoke ${client}`]),
    'and take away the right to read and write the repository',
  ];
  const kept = ca
    ? 'the key of the CA, those of its clients, and the records'
    : `the records${client === undefined ? '' : `, and the key of client ${client}`}`;
  return {
    exit: 0,
    result: {
      removed: name,
      left: left.map((one) => one.name),
      rotate: ca && hasCa ? ['ca'] : [],
      dryRun: dryRun || undefined,
    },
    text: [
      `operator ${name}: ${dryRun ? 'would be removed' : `removed, and everything is encrypted again under new keys for ${left.map((one) => one.name).join(', ')}`}`,
      `${name} can still read their copies: ${kept}. The history of the repository counts as a copy.`,
    ].join('\n'),
    next,
  };
}
