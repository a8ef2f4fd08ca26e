/** `role suggest`: the smallest role for what a client did. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { errorsOf, exitOfResults } from '../../../core/domain/host-results.ts';
import { plural } from '../../../core/domain/words.ts';
import { offeredWords } from '../../../core/seams/seam.ts';
import { SETTING_PLACES } from '../../../core/seams/setting-places.ts';
import { printable } from '../../../errors/errors.ts';
import { loggedRequests } from '../actions/logged-requests.ts';
import { renderSuggestion, suggestRole } from '../domain/suggest-role.ts';
import { LOG_OPTIONS } from './log-options.ts';

export type RoleSuggestDocument = {
  readonly client: string;
  /** Requests seen. */
  readonly requests: number;
  /** Lines of the smallest role, without those that every role has. */
  readonly lines: readonly string[];
  /** Requests that no line can allow. */
  readonly impossible: readonly string[];
};

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'store'],
  about: `Reads the log of hosts whose listener is HAProxy, and prints the smallest role that allows what the client did${offeredWords(SETTING_PLACES, ', for the fleet file')}. Of a client with full access the log has only the first request of each connection: give it the role read first, or watch longer.`,
  examples: ['docker-tls role suggest prom --since 7d'],
  args: { client: { summary: 'the client', required: true, completes: 'client' } },
  options: LOG_OPTIONS,
  async run(context): Promise<CommandResult<RoleSuggestDocument>> {
    const { args, options, runtime } = context;
    const results = await loggedRequests(context, [], options);
    const seen = results
      .flatMap((one) => (one.kind === 'done' ? one.value : []))
      // What it was refused is not what it needs.
      .filter(({ kind, client, status }) => kind === 'client' && client === args.client && status !== 403)
      .flatMap(({ method, path }) => (method === undefined || path === undefined ? [] : [{ method, path }]));
    const suggested = suggestRole(seen);
    const { lines, left } = suggested;
    const words = [
      seen.length === 0
        ? `no request of ${args.client} in this time`
        : lines.length === 0
          ? 'every role allows what it did'
          : renderSuggestion(args.client, suggested),
      ...(left.length === 0
        ? []
        : [`${plural(left.length, 'request')} that no role allows: ${left.map((one) => printable(one)).join(', ')}`]),
    ];
    return {
      exit: exitOfResults(results, runtime.signal),
      result: { client: args.client, requests: seen.length, lines, impossible: left },
      text: words.join('\n'),
      errors: errorsOf(results),
    };
  },
});
