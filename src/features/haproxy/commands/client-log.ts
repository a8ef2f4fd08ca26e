/** `client log`: what clients did on hosts whose listener is HAProxy. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { CLIENT_OPTION } from '../../../cli/host-options.ts';
import { errorsOf, exitOfResults } from '../../../core/domain/host-results.ts';
import { coloursOf } from '../../../core/render/colours.ts';
import { renderTable } from '../../../core/render/table.ts';
import { printable } from '../../../errors/errors.ts';
import { loggedRequests } from '../actions/logged-requests.ts';
import type { JournalRequest } from '../engine/read-log.ts';
import { LOG_OPTIONS } from './log-options.ts';

export type ClientLogDocument = { readonly requests: readonly LoggedRequestDocument[] };

type LoggedRequestDocument = {
  readonly host: string;
  readonly at: Date;
  /** `other client`: of another CA; `unknown client`: it has no role and was rejected; `socket`: a socket on the host. */
  readonly kind: 'client' | 'socket' | 'other client' | 'unknown client';
  readonly client?: string;
  readonly role?: string;
  readonly address?: string;
  /** Of a client with full access: those of its first request. */
  readonly method?: string;
  /** Without the query. */
  readonly path?: string;
  /** Absent for connections with full access. */
  readonly status?: number;
  readonly seconds: number;
};

type HostRequest = JournalRequest & { readonly host: string };

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'store'],
  about:
    'Reads the journal of hosts whose listener is HAProxy: each request of a client with a limited role, and each connection of one with full access, with its first request. Query strings and headers are not logged.',
  examples: ['docker-tls client log build-1', 'docker-tls client log build-1 --client prom --since 7d'],
  args: { hosts: { summary: 'hosts (default: all)', many: true, completes: 'host' } },
  options: { ...LOG_OPTIONS, client: { ...CLIENT_OPTION, summary: 'only requests of this client' } },
  async run(context): Promise<CommandResult<ClientLogDocument>> {
    const { args, options, runtime } = context;
    const results = await loggedRequests(context, args.hosts, options);
    const requests = results
      .flatMap((one) => (one.kind === 'done' ? one.value.map((request) => ({ ...request, host: one.host })) : []))
      .filter(({ client }) => options.client === undefined || client === options.client)
      .sort((one, other) => one.at.getTime() - other.at.getTime());
    return {
      exit: exitOfResults(results, runtime.signal),
      result: { requests: requests.map(requestDocument) },
      text: requests.length === 0 ? 'no requests' : renderRequests(requests, runtime.io),
      errors: errorsOf(results),
    };
  },
});

function requestDocument(request: HostRequest): LoggedRequestDocument {
  const { host, at, kind, client, role, address, method, path, status, durationMs } = request;
  return { host, at, kind, client, role, address, method, path, status, seconds: durationMs / 1000 };
}

function renderRequests(
  requests: readonly HostRequest[],
  io: Parameters<typeof coloursOf>[0] & { columns?: number },
): string {
  const colours = coloursOf(io);
  return renderTable(
    [
      { title: 'TIME' },
      { title: 'HOST' },
      { title: 'CLIENT' },
      { title: 'ROLE' },
      { title: 'ADDRESS' },
      { title: 'REQUEST', shrinkTo: 20 },
      { title: 'STATUS', align: 'right' },
      { title: 'SECONDS', align: 'right' },
    ],
    requests.map(({ at, host, kind, client, role, address, method, path, status, durationMs }) => [
      at.toISOString().slice(0, 19),
      host,
      printable(kind === 'client' ? (client ?? '-') : `${client ?? '-'} (${kind})`),
      role ?? '-',
      address ?? '-',
      printable(method === undefined ? '-' : `${method} ${path ?? ''}`),
      status === undefined ? '-' : { text: String(status), style: status >= 400 ? colours.yellow : colours.dim },
      (durationMs / 1000).toFixed(1),
    ]),
    { columns: io.columns, titleStyle: colours.dim },
  );
}
