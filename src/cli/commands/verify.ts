/** Owns `verify [HOST…]`: verifies over the network who gets in and who must not. */

import { anyClient } from '../../actions/resolve-target.ts';
import { selectSpecs } from '../../actions/selection.ts';
import { storeOf } from '../../actions/store.ts';
import { verifyStored } from '../../actions/verify.ts';
import { errorsOf, exitOfResults } from '../../domain/host-results.ts';
import { reachableHosts } from '../../domain/trust/reachable-hosts.ts';
import { plural } from '../../domain/words.ts';
import { overHosts } from '../../engine/pool.ts';
import { requireVerified } from '../../engine/verify-host.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { CLIENT_OPTION, SELECTION_OPTIONS } from '../host-options.ts';
import { coloursOf } from '../render/colours.ts';
import { renderChecks } from '../render/outcome.ts';

export const command = defineCommand({
  name: 'verify',
  summary: 'Verify over the network which clients are accepted and which are rejected',
  about:
    'Connects as your client, without a certificate, with one from an untrusted CA, as the server itself, over plain HTTP and with TLS 1.1. Needs no SSH, except for hosts that were set up with --reach ssh: those are verified through it, and each result says so.',
  examples: ['docker-tls verify', 'docker-tls verify build-1 --client ci'],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: {
    ...SELECTION_OPTIONS,
    client: CLIENT_OPTION,
  },
  async run(context) {
    const { args, options, global, runtime, progress, prompts } = context;
    const colours = coloursOf(runtime.io);
    const state = await storeOf({ global, runtime }).read();
    const { specs } = await selectSpecs(context, args.hosts, options, state, undefined, { reached: true });
    const hosts = reachableHosts(state);
    const results = await overHosts(
      specs,
      { parallel: global.parallel, signal: runtime.signal },
      progress,
      runtime.now,
      async (spec, line) => {
        const host = hosts.get(spec.name);
        if (host === undefined)
          throw new DockerTlsError({
            code: 'E_HOST_UNKNOWN',
            where: spec.name,
            message: 'it has not been set up yet',
            hints: [`docker-tls apply ${spec.name}`],
          });
        line.phase('verify');
        const checks = await verifyStored(
          { runtime, ask: prompts.ssh },
          state,
          host,
          anyClient(state, host, options, runtime, 'docker-tls verify'),
        );
        const bad = checks.filter((check) => !check.ok);
        if (bad.length === 0) line.done('verified');
        else line.failed(`${bad.length} of ${plural(checks.length, 'check')} failed`);
        return checks;
      },
    );
    const failures = results.flatMap((result) => {
      if (result.kind !== 'done') return [];
      try {
        requireVerified(result.host, result.value, 'see the details');
        return [];
      } catch (error) {
        return error instanceof DockerTlsError ? [error] : [];
      }
    });
    const text = results
      .map((result) =>
        result.kind === 'done'
          ? `${colours.bold(result.host)}\n${renderChecks(result.value, colours)}`
          : `${result.host}: ${result.kind}`,
      )
      .join('\n\n');
    const exit = exitOfResults(results, runtime.signal);
    return {
      exit: failures.length > 0 && (exit === 0 || exit === 4) ? 7 : exit,
      result: {
        hosts: results.map((result) =>
          result.kind === 'done'
            ? { host: result.host, ok: result.value.every((check) => check.ok), checks: result.value }
            : { host: result.host, result: result.kind },
        ),
      },
      text,
      attention: '',
      errors: [...errorsOf(results), ...failures],
    };
  },
});
