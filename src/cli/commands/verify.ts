/** Owns `verify [HOST…]`: proves over the network who gets in and who must not. */

import { DockerTlsError } from '../../errors.ts';
import { errorsOf, exitOfResults, overHosts } from '../../workflows/fleet-run.ts';
import { requireProofs } from '../../workflows/prove.ts';
import { reachableHosts } from '../../workflows/reach.ts';
import { proveStored } from '../../workflows/verify.ts';
import { anyClient } from '../choose.ts';
import { defineCommand } from '../command.ts';
import { coloursOf } from '../render/colours.ts';
import { renderProofs } from '../render/outcome.ts';
import { SELECTION_OPTIONS, selectSpecs } from '../selection.ts';
import { storeOf } from '../store.ts';

export const command = defineCommand({
  name: 'verify',
  summary: 'Prove over the network who gets in, and who must not',
  about:
    'Knocks as your client, with no certificate, as a stranger, as the server itself, over plain HTTP and with TLS 1.1. Needs no SSH.',
  examples: ['docker-tls verify', 'docker-tls verify build-1 --client ci'],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: {
    ...SELECTION_OPTIONS,
    client: { kind: 'text', value: 'NAME', summary: 'whose certificate has to get in', completes: 'client' },
  },
  async run(context) {
    const { args, options, global, runtime, progress } = context;
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
            exit: 2,
            where: spec.name,
            message: 'it has not been set up yet',
            hints: [`docker-tls apply ${spec.name}`],
          });
        line.phase('verify');
        const proofs = await proveStored(
          runtime,
          state,
          host,
          anyClient(state, host, options.client, 'docker-tls verify'),
        );
        const bad = proofs.filter((proof) => !proof.ok);
        if (bad.length === 0) line.done('proven');
        else line.failed(bad.map((proof) => `${proof.who}: ${proof.outcome}`).join('; '));
        return proofs;
      },
    );
    const failures = results.flatMap((result) => {
      if (result.kind !== 'done') return [];
      try {
        requireProofs(result.host, result.value, 'see the details');
        return [];
      } catch (error) {
        return error instanceof DockerTlsError ? [error] : [];
      }
    });
    const text = results
      .map((result) =>
        result.kind === 'done'
          ? `${colours.bold(result.host)}\n${renderProofs(result.value, colours)}`
          : `${result.host}: ${result.kind}`,
      )
      .join('\n\n');
    const exit = exitOfResults(results, runtime.signal);
    return {
      exit: failures.length > 0 && (exit === 0 || exit === 4) ? 7 : exit,
      result: {
        hosts: results.map((result) =>
          result.kind === 'done'
            ? { host: result.host, ok: result.value.every((proof) => proof.ok), proofs: result.value }
            : { host: result.host, result: result.kind },
        ),
      },
      text,
      errors: [...errorsOf(results), ...failures],
    };
  },
});
