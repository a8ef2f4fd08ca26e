/**
 * Fleet file parser: text to Fleet, with all errors together. The schema is in schema.ts, edits are in edit.ts.
 */

import * as z from 'zod/mini';
import { nameProblem } from '../../../core/domain/names.ts';
import type { Problem } from '../../../core/domain/setting-problems.ts';
import {
  CA_SETTINGS,
  type CaSpec,
  type ClientSpec,
  completeSettings,
  type HostSpec,
} from '../../../core/domain/settings.ts';
import type { FileSecrets } from '../../../core/seams/fleet-files.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { entryProblems } from './entry-problems.ts';
import { fleetProblems, nameProblems, section } from './fleet-check.ts';
import { parseFleetDocument, problemErrors } from './fleet-document.ts';
import { defaultsOf, entryValues, fleetClient, type HostDefaults, hostOf } from './fleet-entry.ts';
import {
  clientValueSchema,
  defaultsSchema,
  type FleetFile,
  fleetSchema,
  type HostEntry,
  hostValueSchema,
} from './schema.ts';

type FleetSecrets = FileSecrets & {
  readonly sudoPassword: Readonly<Record<string, string>>;
  /** Default for hosts without their own, including hosts added later. */
  readonly sudoDefault?: string;
};

export type Fleet = {
  /** Path of the file, for messages and relative paths. */
  readonly path: string;
  readonly ca: CaSpec;
  readonly defaults: HostDefaults;
  /** Complete, in file order. Paths are as written: see fleet-paths.ts. */
  readonly hosts: readonly HostSpec[];
  readonly clients: readonly ClientSpec[];
  readonly secrets: FleetSecrets;
};

/**
 * Parses a fleet file. `path` is for messages. Throws DockerTlsErrors of E_FLEET (exit 2): all errors, each with `where` as
 * `path:line:column` and, for a misspelt name, the similar one.
 */
export function parseFleet(text: string, path: string): Fleet {
  const document = parseFleetDocument(text, path);
  const refuse = (problems: readonly Problem[]): never => {
    throw problemErrors(path, document, problems);
  };
  if (document.value === undefined) {
    refuse([
      ...document.problems,
      { path: [], message: 'the file is empty', hints: ['version: 1', 'docker-tls setup HOST'] },
    ]);
  }
  const parsed = fleetSchema.safeParse(document.value);
  const problems: Problem[] = [...document.problems, ...nameProblems(document.value)];
  if (!parsed.success) {
    // The schema also reports an unreadable value as missing: drop the duplicate.
    const located = new Set(
      document.problems.flatMap(({ path: at, key }) => (key === undefined ? [JSON.stringify(at)] : [])),
    );
    const shape = entryProblems(parsed.error.issues, document.value);
    problems.push(...shape.filter(({ path: at }) => !located.has(JSON.stringify(at))));
  }
  // Contradictions are reported together with schema errors.
  const file = parsed.success ? (parsed.data as FleetFile) : readablePart(document.value);
  const defaults = defaultsOf(file.defaults);
  const hosts = Object.entries(file.hosts ?? {}).flatMap(([name, entry]) => {
    try {
      return [hostOf(name, entry, defaults)];
    } catch (error) {
      if (!(error instanceof DockerTlsError)) throw error;
      problems.push({
        path: ['hosts'],
        key: name,
        message: `${name} cannot be dialled by that name`,
        hints: ['say how it is reached: ssh: root@HOST'],
      });
      return [];
    }
  });
  const clients = Object.entries(file.clients ?? {}).map(([name, entry]) => fleetClient(name, entry));
  problems.push(...fleetProblems(file, hosts, clients));
  if (problems.length > 0) refuse(problems);
  const ca = completeSettings(CA_SETTINGS, entryValues(CA_SETTINGS, file.ca ?? {}));
  return { path, ca, defaults, hosts, clients, secrets: secretsOf(file) };
}

/** Valid hosts and clients of an invalid file; no hosts if their defaults are invalid. */
function readablePart(value: unknown): FleetFile {
  const right = (key: 'hosts' | 'clients', schema: z.ZodMiniType) =>
    Object.fromEntries(
      Object.entries(section(value, key)).flatMap(([name, entry]) => {
        const read = z.safeParse(schema, entry);
        return read.success && nameProblem(name) === undefined ? [[name, read.data]] : [];
      }),
    );
  const defaults = z.safeParse(z.optional(defaultsSchema), section(value, undefined).defaults);
  return {
    defaults: defaults.data,
    hosts: defaults.success ? right('hosts', hostValueSchema) : {},
    clients: right('clients', clientValueSchema),
  } as FleetFile;
}

/** A host's entry with the reference to its sudo password. */
export function withSudo(entry: HostEntry | string | null, reference: string | undefined): HostEntry | string | null {
  if (reference === undefined) return entry;
  const own = typeof entry === 'string' ? { ssh: entry } : entry;
  return { ...own, 'sudo-password': reference };
}

function secretsOf(file: FleetFile): FleetSecrets {
  const shared = file.defaults?.['sudo-password'];
  const sudoPassword: Record<string, string> = Object.create(null);
  for (const [name, entry] of Object.entries(file.hosts ?? {})) {
    const reference = (entry !== null && typeof entry === 'object' ? entry['sudo-password'] : undefined) ?? shared;
    if (reference !== undefined) sudoPassword[name] = reference;
  }
  return {
    caPassphrase: file.ca?.passphrase,
    sudoPassword,
    sudoDefault: shared,
  };
}
