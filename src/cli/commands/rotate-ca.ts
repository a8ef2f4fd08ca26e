/** Owns `rotate ca`: a new CA in stages that can be stopped and resumed anywhere. */

import { beginRotation, ownClients, refuseDrop, stageOf, waysOn } from '../../actions/rotate-ca.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import type { Store } from '../../adapters/store/store.ts';
import type { RotationStage } from '../../domain/plan/stages.ts';
import { isFrom } from '../../domain/trust/trust.ts';
import { listWords, plural } from '../../domain/words.ts';
import { caBreaksClients } from '../../engine/ca-refusals.ts';
import { refreshCopies } from '../../engine/installed-copies.ts';
import type { DockerTlsError } from '../../errors/errors.ts';
import { type CommandResult, defineCommand } from '../command.ts';
import { type StoredRun, startStored } from '../fleet-session.ts';
import { CA_OPTIONS, CLIENT_OPTIONS } from '../host-options.ts';
import { usage } from '../options.ts';
import { agree } from '../prompts.ts';
import { changeHosts, ROTATE_OPTIONS } from '../rotate.ts';

export const command = defineCommand({
  name: 'rotate ca',
  summary: 'A new CA: accept old and new, issue from the new, drop the old',
  about:
    "Stage 1: every host learns to accept clients of the old CA and of the new. Stage 2: hosts and clients get credentials of the new CA; hosts also send a certificate that the old CA has signed, so clients that have not fetched their new files keep working (without the old CA's key there is no such certificate, and stage 2 waits for --no-overlap). Stage 3 (--drop): the old CA is no longer accepted.\nEvery stage is verified on every host before the next. Stop anywhere: the same command goes on.",
  examples: ['docker-tls rotate ca --dry-run', 'docker-tls rotate ca --yes', 'docker-tls rotate ca --drop --yes'],
  args: {},
  options: {
    ...ROTATE_OPTIONS,
    ...CA_OPTIONS,
    keyType: CLIENT_OPTIONS.keyType,
    drop: { kind: 'flag', summary: 'stage 3: stop accepting the old CA' },
    new: { kind: 'flag', summary: 'begin another rotation although the last one is not dropped yet' },
    noOverlap: {
      kind: 'flag',
      summary: "stage 2 although the old CA's key is not here: clients that have not fetched new files lose access",
    },
    lostPassphrase: {
      kind: 'flag',
      summary: "begin without the old CA's passphrase: keys under it are deleted, the new CA gets another one",
    },
  },
  async run(context) {
    const { options, global, prompts, runtime } = context;
    const run = await startStored(context, options, 'rotate ca');
    const stage = await stageOf(run.session.state, run.session.keyring, runtime.now());
    if (global.dryRun) return { exit: 0, result: { stage }, text: describe(stage, run) };
    if (options.lostPassphrase && stage.stage !== 'none' && !options.new)
      throw usage('a rotation is under way; without the passphrase it takes another one', [
        'docker-tls rotate ca --new --lost-passphrase',
      ]);
    return run.session.store.withLock('docker-tls rotate ca', async () => {
      if (options.drop) return drop(context, run, stage);
      if (stage.stage === 'clear' && !options.new)
        return finishStage(context, run, stage, 'Tell the remaining hosts to drop the old CA?');
      if (stage.stage === 'none' || options.new) {
        const lost = options.lostPassphrase
          ? " The keys that nobody can open any more (the CA's and those of clients' issuing CAs) are deleted."
          : '';
        const hosts = plural(run.session.state.hosts.size, 'host');
        await agree(prompts, `Make a new CA, and let ${hosts} accept old and new?${lost}`);
        await beginRotation(run.session.state, run.session.keyring, options.lostPassphrase);
        await run.session.store.write(run.session.keyring.change());
        await refreshAll(await run.session.store.read(), context.progress);
      }
      return proceed(context, options, run.session.store);
    });
  },
});

type Context = Parameters<typeof startStored>[0] & Parameters<typeof changeHosts>[0];
type Options = Parameters<typeof startStored>[1] & { readonly canary?: number; readonly maxFailures?: number };

/** Brings the copies of every client up to date; gives what could not be. */
async function refreshAll(state: StoreState, progress: Context['progress']): Promise<DockerTlsError[]> {
  const problems: DockerTlsError[] = [];
  for (const client of ownClients(state)) {
    const copies = await refreshCopies({ state, client });
    problems.push(...copies.problems);
    for (const what of copies.missing) progress.note(`gone, or not written by docker-tls, and so not updated: ${what}`);
  }
  return problems;
}

/** Stages 1 and 2, as far as they are not done. Each begins from what is stored, so any of them can be the first. */
async function proceed(context: Context, options: Options, store: Store): Promise<CommandResult> {
  const { runtime, progress } = context;
  const done: unknown[] = [];
  let text = '';
  let problems: DockerTlsError[] = [];
  let run = await startStored(context, options, 'rotate ca', store);
  let stage = await stageOf(run.session.state, run.session.keyring, runtime.now());
  if (stage.stage === 'accept') {
    progress.note(`stage 1: ${plural(stage.hosts.length, 'host')} to accept old and new`);
    const result = await changeHosts(context, {
      specs: run.specs(stage.hosts),
      run: await run.open(),
      question: 'Stage 1: let these hosts accept old and new?',
      canary: options.canary,
      maxFailures: options.maxFailures,
    });
    done.push({ stage: 'accept', ...(result.result as object) });
    text = result.text;
    if (result.exit !== 0) return { ...result, result: { stages: done } };
    run = await startStored(context, options, 'rotate ca', store);
    stage = await stageOf(run.session.state, run.session.keyring, runtime.now());
  }
  if (stage.stage === 'issue') {
    const { state, keyring } = run.session;
    const ca = await keyring.caCert();
    const mine = stage.clients.filter((name) => state.clients.get(name)?.key !== undefined);
    progress.note(
      `stage 2: new credentials for ${plural(mine.length, 'client')} and ${plural(stage.hosts.length, 'host')}`,
    );
    for (const name of mine) await keyring.renewClient(name);
    await store.write(keyring.change());
    run = await startStored(context, options, 'rotate ca', store);
    problems = await refreshAll(run.session.state, progress);
    const servers = stage.hosts.filter(
      (name) => !isFrom(run.session.state.hosts.get(name)?.serverCert ?? '', ca, 'server', runtime.now()),
    );
    const untrusted = servers.filter((name) =>
      run.session.keyring.breaksClients(run.session.state.hosts.get(name)?.serverCert ?? ''),
    );
    if (untrusted.length > 0 && !options.noOverlap) {
      const unfetched = stage.clients.filter((name) => !mine.includes(name));
      return {
        exit: 3,
        result: { stages: [...done, { stage: 'issue', clients: mine, hosts: [] }] },
        text,
        errors: [...problems, caBreaksClients(untrusted, unfetched)],
      };
    }
    const result = await changeHosts(context, {
      specs: run.specs(servers),
      run: await run.open({ forceCredentials: 'from the new CA' }),
      question: 'Stage 2: give these hosts certificates of the new CA?',
      canary: options.canary,
      maxFailures: options.maxFailures,
    });
    done.push({ stage: 'issue', clients: mine, ...(result.result as object) });
    text = [text, result.text].filter((part) => part !== '').join('\n');
    if (result.exit !== 0)
      return { ...result, result: { stages: done }, errors: [...problems, ...(result.errors ?? [])] };
    run = await startStored(context, options, 'rotate ca', store);
    stage = await stageOf(run.session.state, run.session.keyring, runtime.now());
  }
  const rest =
    stage.stage === 'drop'
      ? 'Old and new are accepted, everything here has new credentials.\nWhen everybody has fetched theirs:'
      : describe(stage, run);
  return {
    exit: 0,
    result: { stages: done, stage },
    text: [text, rest].filter((part) => part !== '').join('\n\n'),
    ...(stage.stage === 'drop' ? { next: ['docker-tls rotate ca --drop'] } : {}),
    errors: problems,
  };
}

async function drop(context: Context, run: StoredRun, stage: RotationStage): Promise<CommandResult> {
  const { state, store } = run.session;
  refuseDrop(stage, state);
  if (stage.stage === 'none') return { exit: 0, result: { stage }, text: 'There is no old CA to drop.' };
  await agree(context.prompts, 'Stop accepting the old CA? Whoever has not fetched new files is locked out.');
  if (stage.stage === 'drop') {
    // While both are accepted, and the store still tells files of the old CA as ours: docker here must not be what is locked out.
    const copies = await refreshAll(state, context.progress);
    if (copies.length > 0) {
      const text = 'The old CA is still accepted: docker on this computer could not be given its new files.';
      return { exit: 4, result: { stage }, text, errors: copies };
    }
    const ca = state.ca?.cert ?? '';
    const clients = Object.fromEntries(
      ownClients(state)
        .filter((client) => client.record.revokedAt === undefined)
        .map(({ directory: _, ...client }) => [client.record.name, { ...client, ca }]),
    );
    const { splitBundle } = await import('../../domain/pki/inspect.ts');
    const issuers = Object.fromEntries(
      [...state.issuers].map(([name, { cert, keyPem }]) => [
        name,
        { cert: splitBundle(cert)[0] ?? cert, ...(keyPem ? { keyPem } : {}) },
      ]),
    );
    await store.write({ removeOldCas: state.oldCas.map((old) => old.serial), clients, issuers });
  }
  return finishStage({ ...context, global: { ...context.global, yes: true } }, run, stage, '');
}

async function finishStage(
  context: Context,
  before: StoredRun,
  stage: RotationStage,
  question: string,
): Promise<CommandResult> {
  const run = await startStored(context, before.options, 'rotate ca', before.session.store);
  const copies = await refreshAll(run.session.state, context.progress);
  const result = await changeHosts(context, { specs: run.specs(stage.hosts), run: await run.open(), question });
  return {
    ...result,
    errors: [...copies, ...(result.errors ?? [])],
    result: { stages: [{ stage: 'drop', ...(result.result as object) }] },
    text: [
      result.text,
      result.exit === 0
        ? 'The old CA is no longer accepted anywhere.'
        : 'The hosts that failed still accept it; run the same command again.',
    ].join('\n\n'),
  };
}

function remaining({ hosts, clients }: RotationStage): string[] {
  return [...hosts.map((name) => `host ${name}`), ...clients.map((name) => `client ${name}`)];
}

function describe(stage: RotationStage, run: StoredRun): string {
  const hosts = stage.hosts.length === 0 ? 'no host' : stage.hosts.join(', ');
  const all = [...run.session.state.hosts.keys()].join(', ');
  switch (stage.stage) {
    case 'none':
      return `No rotation is under way. It would go like this:\n  1 accept  ${all} accept the old CA and a new one\n  2 issue   hosts and clients get credentials of the new CA\n  3 drop    (docker-tls rotate ca --drop) the old CA is no longer accepted`;
    case 'accept':
      return `Stage 1, accept old and new, is still to be done on ${hosts}.`;
    case 'issue':
      return [
        `Stage 2, issue from the new CA, is still to be done for ${listWords(remaining(stage), 24)}.`,
        ...waysOn(stage.clients, run.session.state.clients).map((way) => `  ${way}`),
      ].join('\n');
    case 'drop':
      return 'Stage 3, drop the old CA: docker-tls rotate ca --drop';
    case 'clear':
      return `The old CA is dropped here; ${hosts} still accept it: docker-tls rotate ca --drop`;
  }
}
