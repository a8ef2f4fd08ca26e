/** Hosts of other stores in the text of `status`, and the next commands. */

import { shellQuote } from '../../../core/domain/quote.ts';
import type { ReachedHost } from '../../../core/domain/status-row.ts';
import type { Colours } from '../../../core/render/colours.ts';
import { renderTable } from '../../../core/render/table.ts';
import { asWritten, type Hint, printable } from '../../../errors/errors.ts';

/** As ReachedHosts.renderReached. */
export function renderReached(hosts: readonly ReachedHost[], colours: Colours, columns?: number): string[] {
  if (hosts.length === 0) return [];
  const titles = [
    { title: 'HOST OF A BUNDLE' },
    { title: 'ADDRESS', shrinkTo: 21, leaveOut: 1 },
    { title: 'CLIENT' },
    { title: 'ACCESS' },
    { title: '', shrinkTo: 20 },
  ];
  const rows = hosts.map(({ name, address, client, access, reason = '' }) => {
    const style = access === 'accepted' ? colours.green : access === 'not asked' ? undefined : colours.red;
    const words = access === 'rejected' ? 'revoked, or not applied there yet' : printable(reason);
    return [name, address, client, style ? { text: access, style } : access, words];
  });
  return [renderTable(titles, rows, { columns, titleStyle: colours.dim }).trimEnd()];
}

/** As ReachedHosts.waysOnReached. */
export function waysOnReached({ name, access }: ReachedHost): Hint[] {
  return access === 'rejected'
    ? [asWritten(`on the computer that set it up: docker-tls apply ${shellQuote(name)}`)]
    : [];
}
