/** One run, from the command line to the exit status. It never ends the process: bin/docker-tls.js does. */

import { setMaxListeners } from 'node:events';
import type { ActionContext, GlobalOptions } from '../core/actions/action-context.ts';
import { createRuntime } from '../core/adapters/create-runtime.ts';
import { durationWords } from '../core/domain/words.ts';
import { takeEnvironment } from '../core/environment.ts';
import type { Connect, Progress, Runtime } from '../core/runtime.ts';
import { showTyping } from '../core/typing.ts';
import { storeDirectory } from '../core/user.ts';
import type { ExitStatus } from '../errors/catalogue.ts';
import { type Again, asErrors, type DockerTlsError, interrupted, printable, usage } from '../errors/errors.ts';
import { typedAgain, type Whole } from './again.ts';
import type { Command, CommandEntry, CommandResult } from './command.ts';
import { pageOf } from './command-pages.ts';
import { COMMANDS, commandGroups, findCommand } from './commands.ts';
import { type Glance, glance } from './global-options.ts';
import { hintPrefix } from './hint-prefix.ts';
import { resizingOf } from './live-lines.ts';
import type { ParsedOptions } from './options.ts';
import { type OutputForm, printErrors, printResult } from './output.ts';
import { readCall } from './plugin-call.ts';
import { createProgress, type ProgressScreen } from './progress.ts';
import { createPrompts, type PromptsOptions } from './prompts.ts';
import { type SignalWatch, watchSignals } from './signals.ts';

export type HelpDocument = { readonly text: string };

/**
 * Runs `docker-tls ARGV`. Resolves to the exit status and never rejects. `overrides` replaces effects (tests): if it has a `signal`, the
 * process's own signals are ignored.
 */
export async function main(
  argv: readonly string[],
  overrides: Partial<Runtime> = {},
  commands: readonly CommandEntry[] = COMMANDS,
): Promise<ExitStatus> {
  const { words: called, ...call } = readCall(argv, overrides.env ?? takeEnvironment());
  const seen = glance(called);
  let progress: ProgressScreen | undefined;
  const watch = overrides.signal
    ? undefined
    : watchSignals((name) =>
        progress?.note(`${name === 'SIGINT' ? 'Ctrl-C' : name}: stopping at the next safe place…`),
      );
  // In raw mode, which questions need, Ctrl-C is a key and not a signal.
  const question = new AbortController();
  const signal = AbortSignal.any([overrides.signal ?? (watch as SignalWatch).signal, question.signal]);
  // Every connection and script of a fleet adds a listener; node warns above ten.
  setMaxListeners(0, signal);
  const runtime: Runtime = { ...createRuntime({ colour: seen.colour, signal }), ...overrides, ...call, signal };
  const interrupt: PromptsOptions['interrupt'] = (reason) => question.abort(reason);
  const form = {
    json: seen.json,
    verbose: seen.verbose,
    quiet: seen.quiet,
    words: hintPrefix(runtime.program, seen.home),
  };
  try {
    const run = dispatch(called, seen, { commands, runtime, form, interrupt }, (screen) => {
      progress = screen;
    });
    if (!watch) return await run;
    const letGo = watch.insisted.then(() =>
      stopWaiting(runtime, progress, { ...form, command: nameOf(called, seen, commands) }),
    );
    return await Promise.race([run, letGo, watch.stray]);
  } catch (error) {
    return printErrors(runtime.io, { ...form, command: nameOf(called, seen, commands) }, asErrors(error, signal));
  } finally {
    progress?.close();
    showTyping();
    watch?.stop();
  }
}

async function dispatch(
  argv: readonly string[],
  seen: Glance,
  {
    commands,
    runtime,
    form,
    interrupt,
  }: {
    commands: readonly CommandEntry[];
    runtime: Runtime;
    form: Omit<OutputForm, 'command'>;
    interrupt: PromptsOptions['interrupt'];
  },
  watchProgress: (screen: ProgressScreen) => void,
): Promise<ExitStatus> {
  const print = (command: string, result: CommandResult) => printResult(runtime.io, { ...form, command }, result);
  const help = (text: string) => {
    const result: HelpDocument = { text };
    return print('help', { exit: 0, result, text });
  };
  const { program } = runtime;
  const { columns } = runtime.io;
  // Lazy: it loads commander, which completion and --version do not need.
  const pages = () => import('./help.ts');

  const asksHelp = seen.help || argv[seen.words[0] ?? -1] === 'help';
  const positions = argv[seen.words[0] ?? -1] === 'help' ? seen.words.slice(1) : seen.words;
  const words = positions.map((index) => argv[index] as string);
  if (seen.version) {
    const { node, openssl } = process.versions;
    return print('version', {
      exit: 0,
      result: seen.json ? (await import('../core/commands/version.ts')).versionDocument() : undefined,
      text: `docker-tls ${DOCKER_TLS_VERSION} (Node.js ${node}, OpenSSL ${openssl})`,
    });
  }
  const about = { home: storeDirectory(seen.home, runtime), store: seen.store };
  if (words.length === 0) {
    const sharedStore = (await import('../core/actions/open-store.ts')).usesSharedStore(about, runtime);
    return help((await pages()).renderOverview(program, commands, { columns, sharedStore }));
  }
  const group = positions === seen.words ? undefined : commandGroups(commands).find(({ name }) => name === words[0]);
  if (group !== undefined && words.length === 1) return help((await pages()).renderGroup(program, group, columns));
  const found = findCommand(words, commands);
  if (found.kind === 'unknown') throw await unknownCommand(words, found.nearest, { about, runtime });
  if (found.kind === 'group') {
    if (asksHelp) return help((await pages()).renderGroup(program, found, columns));
    const names = found.entries.map(({ name }) => name);
    throw usage(
      `${found.name} needs to know what: ${names.map((name) => name.slice(found.name.length + 1)).join(', ')}`,
      names.map((name) => `${program} ${name} --help`),
    );
  }
  if (asksHelp) {
    const page = await pageOf(found.entry);
    const length = page.name.split(' ').length;
    // Other words of a command line with --help are its arguments, or values of its options.
    const at = positions === seen.words ? seen.behindHelp : positions[length];
    const topic = at === undefined || positions.slice(0, length).includes(at) ? undefined : argv[at];
    const topics = Object.keys(page.topics ?? {});
    if (topic !== undefined && topics.length > 0 && !topics.includes(topic))
      throw usage(
        `no help about "${printable(topic, 60)}"`,
        topics.map((one) => `${program} ${page.name} --help ${one}`),
      );
    const { alias } = found.entry;
    return help(
      (await pages()).renderCommand(program, page, columns, topics.length > 0 ? { alias, topic } : { alias }),
    );
  }
  const command = await found.entry.load();
  const taken = positions.slice(0, command.name.split(' ').length);
  const rest = argv.filter((_, index) => !taken.includes(index));
  const { parseOptions } = await import('./options.ts');
  const parsed = parseOptions(command, rest, runtime);
  const again = typedAgain(command, rest);
  const ofCommand: OutputForm = {
    ...form,
    command: command.name,
    words: (hint) => form.words(again.whole(hint)),
  };
  return runCommand(command, { ...parsed, again }, runtime, ofCommand, interrupt, watchProgress);
}

async function runCommand(
  command: Command,
  parsed: ParsedOptions & { readonly again: Again & Whole },
  given: Runtime,
  form: OutputForm,
  interrupt: PromptsOptions['interrupt'],
  watchProgress: (screen: ProgressScreen) => void,
): Promise<ExitStatus> {
  const { global } = parsed;
  const progress = createProgress({
    io: given.io,
    now: given.now,
    silent: global.quiet,
    verbose: global.verbose,
    live: given.io.errIsTerminal && given.env.TERM !== 'dumb',
    logFile: global.log,
    rows: () => process.stderr.rows,
    ...resizingOf(given.env),
    words: form.words,
  });
  watchProgress(progress);
  const runtime = global.verbose ? sayTransport(given, progress) : given;
  const { io, signal } = runtime;
  const { suspend, hasChanged } = progress;
  let cancelled: DockerTlsError | undefined;
  const cancel = (reason: DockerTlsError) => {
    cancelled = reason;
    interrupt(reason);
  };
  const { words } = form;
  const { answered } = parsed.again;
  const prompts = createPrompts({
    io,
    yes: global.yes,
    signal,
    suspend,
    interrupt: cancel,
    hasChanged,
    words,
    answered,
  });
  progress.log(`docker-tls ${DOCKER_TLS_VERSION} ${command.name}`);
  try {
    const { args, options, again } = parsed;
    const renderPlanned: ActionContext['renderPlanned'] = async (planned) =>
      (await import('../core/render/change-result.ts')).planText(planned, { runtime, global });
    const context = { args, options, global, runtime, progress, prompts, again, renderPlanned };
    let approved: Promise<Connect> | undefined;
    const connect: Connect = async (target) => {
      approved ??= import('../core/actions/store-consent.ts').then(({ approvedWays }) => approvedWays(context));
      return (await approved)(target);
    };
    const result = await command.run({ ...context, runtime: { ...runtime, connect } });
    for (const error of result.errors ?? [])
      progress.log(`error[${error.code}] ${error.where ?? ''}: ${error.message}`);
    if (runtime.signal.aborted && result.exit === 0) progress.note('stopped too late: everything was done by then');
    progress.close();
    const exit = printResult(runtime.io, form, result);
    progress.log(`exit status ${exit}`);
    return exit;
  } catch (error) {
    progress.close();
    const found = asErrors(error, runtime.signal);
    // A login that asked says that it was interrupted, and not by what.
    const errors = cancelled && found.every(({ code }) => code === 'E_INTERRUPTED') ? [cancelled] : found;
    for (const one of errors) progress.log(`error[${one.code}] ${one.where ?? ''}: ${one.message}`);
    const exit = printErrors(runtime.io, form, errors);
    progress.log(`exit status ${exit}`);
    return exit;
  }
}

/** -v: prints the transport of each connection. */
function sayTransport(runtime: Runtime, progress: Progress): Runtime {
  return {
    ...runtime,
    connect: async (target) => {
      const session = await runtime.connect(target);
      if (session.transport !== undefined) progress.note(`${target.host}: transport ${printable(session.transport)}`);
      return session;
    },
  };
}

/** The second Ctrl-C: prints the work in progress and exits. Hosts in the middle of a change roll back when their timer fires. */
function stopWaiting(runtime: Runtime, progress: ProgressScreen | undefined, form: OutputForm): ExitStatus {
  const running = progress?.running() ?? [];
  progress?.close();
  const details = running.map(({ host, phase, elapsedMs }) => `${host}: ${phase} (for ${durationWords(elapsedMs)})`);
  const message = 'no longer waiting';
  const error =
    running.length === 0
      ? interrupted(message)
      : interrupted(
          `${message}; hosts in the middle of a change roll back automatically, unless they have already confirmed it`,
          {
            details,
            hints: ['docker-tls status'],
          },
        );
  return printErrors(runtime.io, form, [error]);
}

async function unknownCommand(
  words: readonly string[],
  nearest: readonly string[],
  { about, runtime }: { readonly about: Pick<GlobalOptions, 'home' | 'store'>; readonly runtime: Runtime },
) {
  const typed = printable(words.slice(0, 2).join(' '), 60);
  const message = `there is no command "${typed}"`;
  if (words[0] === 'renew') {
    const { words: due, hints } = await (await import('../core/actions/due-names.ts')).dueNames(about, runtime);
    return usage(`${message}; ${due}`, hints);
  }
  const hints = await Promise.all(nearest.map(async (name) => `${runtime.program} ${await callable(name)}`));
  return usage(message, hints.length > 0 ? hints : [`${runtime.program} --help`]);
}

/** A command that runs as it is, or its help: it may need arguments. */
async function callable(name: string): Promise<string> {
  const found = findCommand(name.split(' '));
  if (found.kind !== 'command') return `${name} --help`;
  const { args, options } = await pageOf(found.entry);
  if ('due' in options) return `${name} --due`;
  return Object.values(args).every(({ required }) => required !== true) ? name : `${name} --help`;
}

/** The command's name as far as known, for the JSON document of a failure. */
function nameOf(argv: readonly string[], seen: Glance, commands: readonly CommandEntry[]): string {
  const words = seen.words.map((index) => argv[index] as string);
  const found = findCommand(words, commands);
  if (found.kind === 'command') return found.entry.name;
  return found.kind === 'group' ? found.name : printable(words[0] ?? '', 60);
}
