/** Kinds of hosts, parts of a change, and judges of firewalls, of features: in their tables before the facts of any host are read. */

import { PARTS } from '../domain/plan/change-parts.ts';
import { DAEMON_FILES } from '../domain/plan/daemon-files.ts';
import { STARTS } from '../domain/plan/daemon-start.ts';
import { FIREWALL_JUDGES } from '../domain/plan/firewall.ts';
import { KINDS } from '../domain/plan/host-kind.ts';
import { SERVICE_CHECKS } from '../domain/plan/preflight-service.ts';
import { START_COMMANDS } from '../domain/plan/validation.ts';
import { factsScriptOf } from '../host/scripts.ts';
import { CHANGE_PARTS } from '../seams/change-parts.ts';
import { FIREWALLS } from '../seams/firewall.ts';
import { HOST_KINDS, type KindOfHost, type OwnDaemons } from '../seams/host-kinds.ts';

let loading: Promise<{ readonly script: string; readonly own: OwnDaemons | undefined }> | undefined;

/**
 * The script that gathers facts for a plan, without changes; once it is there, every kind is known. Variables set before it: MORE_PATHS, further
 * configuration files, one per line; PROGRAMS, required programs.
 */
export async function factsScript(): Promise<string> {
  return (await loaded()).script;
}

/** Undefined without a feature that has such a kind. */
export async function ownDaemons(): Promise<OwnDaemons | undefined> {
  return (await loaded()).own;
}

function loaded(): NonNullable<typeof loading> {
  loading ??= loadKinds();
  return loading;
}

async function loadKinds(): Promise<Awaited<ReturnType<typeof loaded>>> {
  const [all, parts, firewalls] = await Promise.all([
    Promise.all(HOST_KINDS.all.map((one) => one.load())),
    Promise.all(CHANGE_PARTS.all.toSorted((one, other) => one.order - other.order).map((one) => one.load())),
    Promise.all(FIREWALLS.all.map((one) => one.load())),
  ]);
  PARTS.push(...parts.flat());
  FIREWALL_JUDGES.push(...firewalls.map(({ judge }) => judge));
  const kinds = all.flatMap((one) => one.kinds);
  for (const kind of kinds) take(kind);
  const names = kinds.map(({ name }) => name);
  const modules = [...all.flatMap(({ facts }) => facts), ...PARTS.flatMap(({ facts }) => facts ?? [])];
  const script = factsScriptOf(
    names,
    modules,
    PARTS.map(({ name }) => name),
    firewalls.map(({ facts }) => facts),
  );
  return { script, own: all.find(({ own }) => own !== undefined)?.own };
}

function take({ name, about, start, files, command, checks }: KindOfHost): void {
  KINDS.take(name, about);
  if (start !== undefined) STARTS.take(name, start);
  if (files !== undefined) DAEMON_FILES.take(name, files);
  if (command !== undefined) START_COMMANDS.take(name, command);
  if (checks !== undefined) SERVICE_CHECKS.take(name, checks);
}
