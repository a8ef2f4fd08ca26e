/** Kinds of hosts of features: they are in the tables by kind before the facts of any host are read. */

import { DAEMON_FILES } from '../domain/plan/daemon-files.ts';
import { STARTS } from '../domain/plan/daemon-start.ts';
import { KINDS } from '../domain/plan/host-kind.ts';
import { SERVICE_CHECKS } from '../domain/plan/preflight-service.ts';
import { START_COMMANDS } from '../domain/plan/validation.ts';
import { factsScriptOf } from '../host/scripts.ts';
import { HOST_KINDS, type KindOfHost } from '../seams/host-kinds.ts';

let script: Promise<string> | undefined;

/**
 * The script that gathers facts for a plan, without changes; once it is there, every kind is known. Variables set before it: MORE_PATHS, further
 * configuration files, one per line; PROGRAMS, required programs.
 */
export function factsScript(): Promise<string> {
  script ??= loadKinds();
  return script;
}

async function loadKinds(): Promise<string> {
  const loaded = await Promise.all(HOST_KINDS.all.map((one) => one.load()));
  const kinds = loaded.flatMap((one) => one.kinds);
  for (const kind of kinds) take(kind);
  return factsScriptOf(
    kinds.map(({ name }) => name),
    loaded.flatMap(({ facts }) => facts),
  );
}

function take({ name, about, start, files, command, checks }: KindOfHost): void {
  KINDS.take(name, about);
  if (start !== undefined) STARTS.take(name, start);
  if (files !== undefined) DAEMON_FILES.take(name, files);
  if (command !== undefined) START_COMMANDS.take(name, command);
  if (checks !== undefined) SERVICE_CHECKS.take(name, checks);
}
