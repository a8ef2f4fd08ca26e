/**
 * Owns the list of commands: name, one line, and where its code is. The code is imported only when the command is called,
 * which keeps the start fast. To add a command: a file in commands/ and a line here.
 */

import { nearestNames } from '../domain/fleet/nearest.ts';
import type { Command } from './command.ts';

export type CommandEntry = {
  /** One word, or two for a command in a group. */
  readonly name: string;
  /** The same, as docker calls it. */
  readonly alias?: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
};

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'setup',
    summary: 'Set up mutual TLS on a Docker host over SSH',
    load: async () => (await import('./commands/setup.ts')).command,
  },
  {
    name: 'plan',
    summary: 'What apply would change; changes nothing',
    load: async () => (await import('./commands/plan.ts')).command,
  },
  {
    name: 'apply',
    summary: 'Make hosts what they should be, in parallel',
    load: async () => (await import('./commands/apply.ts')).command,
  },
  {
    name: 'verify',
    summary: 'Verify over the network which clients are accepted and which are rejected',
    load: async () => (await import('./commands/verify.ts')).command,
  },
  {
    name: 'status',
    summary: 'Every host, client and CA: expiry, days left, renewal due, drift',
    load: async () => (await import('./commands/status.ts')).command,
  },
  {
    name: 'rotate server',
    summary: 'New key and certificate for hosts; nothing is refused, nothing stops',
    load: async () => (await import('./commands/rotate-server.ts')).command,
  },
  {
    name: 'rotate client',
    summary: 'New key and certificate for clients; touches no host',
    load: async () => (await import('./commands/rotate-client.ts')).command,
  },
  {
    name: 'rotate ca',
    summary: 'A new CA: accept old and new, issue from the new, drop the old',
    load: async () => (await import('./commands/rotate-ca.ts')).command,
  },
  {
    name: 'client add',
    summary: 'A client certificate for a person or a program',
    load: async () => (await import('./commands/client-add.ts')).command,
  },
  {
    name: 'client revoke',
    alias: 'client rm',
    summary: 'No host accepts this client any more; other clients keep their files',
    load: async () => (await import('./commands/client-revoke.ts')).command,
  },
  {
    name: 'client list',
    alias: 'client ls',
    summary: 'Who can reach what',
    load: async () => (await import('./commands/client-list.ts')).command,
  },
  {
    name: 'client use',
    summary: "Make a client this computer's own: the one that commands use without --client",
    load: async () => (await import('./commands/client-use.ts')).command,
  },
  {
    name: 'client export',
    summary: 'A client as one file for another computer, a keychain or CI',
    load: async () => (await import('./commands/client-export.ts')).command,
  },
  {
    name: 'client import',
    summary: 'Directory, contexts and environment from a bundle of another computer',
    load: async () => (await import('./commands/client-import.ts')).command,
  },
  {
    name: 'client request',
    summary: 'A key that never leaves this computer, and a request for its certificate',
    load: async () => (await import('./commands/client-request.ts')).command,
  },
  {
    name: 'client sign',
    summary: "Sign a colleague's request; the key stays with its owner",
    load: async () => (await import('./commands/client-sign.ts')).command,
  },
  {
    name: 'ca create',
    summary: 'A new CA; setup makes one by itself',
    load: async () => (await import('./commands/ca-create.ts')).command,
  },
  {
    name: 'ca show',
    summary: 'The CA: name, fingerprint, validity, where its key is',
    load: async () => (await import('./commands/ca-show.ts')).command,
  },
  {
    name: 'ca export',
    summary: "The CA's certificate; with --with-key its key too, always encrypted",
    load: async () => (await import('./commands/ca-export.ts')).command,
  },
  {
    name: 'ca import',
    summary: 'Use a CA of your own, also one whose key stays elsewhere',
    load: async () => (await import('./commands/ca-import.ts')).command,
  },
  {
    name: 'import docker-machine',
    summary: "Take over hosts from docker-machine's store",
    load: async () => (await import('./commands/import-docker-machine.ts')).command,
  },
  {
    name: 'rollback',
    summary: 'Back to the generation before, verified',
    load: async () => (await import('./commands/rollback.ts')).command,
  },
  {
    name: 'remove',
    summary: "Undo: the host's files, units and socket as they were before setup",
    load: async () => (await import('./commands/remove.ts')).command,
  },
  {
    name: 'forget',
    summary: 'Drop a host that is gone from the store, without connecting to it',
    load: async () => (await import('./commands/forget.ts')).command,
  },
  {
    name: 'rename',
    summary: 'Give a host of the store another name; changes nothing on it',
    load: async () => (await import('./commands/rename.ts')).command,
  },
  {
    name: 'audit',
    summary: 'Checks of host, daemon, containers and TLS (CIS numbers); changes nothing',
    load: async () => (await import('./commands/audit.ts')).command,
  },
  {
    name: 'harden',
    summary: 'Fix audit findings (planned, verified, rolled back on failure)',
    load: async () => (await import('./commands/harden.ts')).command,
  },
  {
    name: 'env',
    summary: 'Lines for the shell, or for a tool, that point it at a host',
    load: async () => (await import('./commands/env.ts')).command,
  },
  {
    name: 'context',
    summary: 'Create or update a docker context for a host',
    load: async () => (await import('./commands/context.ts')).command,
  },
  {
    name: 'ssh',
    summary: 'Log in to a host by SSH, as docker-tls does',
    load: async () => (await import('./commands/ssh.ts')).command,
  },
  {
    name: 'doctor',
    summary: 'Diagnose why docker cannot reach a host, and print the fix',
    load: async () => (await import('./commands/doctor.ts')).command,
  },
  {
    name: 'schedule',
    summary: 'Renew on its own: a systemd timer, a cron line, or a CI job',
    load: async () => (await import('./commands/schedule.ts')).command,
  },
  {
    name: 'completion',
    summary: 'Print the completion script for a shell',
    load: async () => (await import('./commands/completion.ts')).command,
  },
  {
    name: 'version',
    summary: 'The version of docker-tls, and what it runs on',
    load: async () => (await import('./commands/version.ts')).command,
  },
];

export type Found =
  | { readonly kind: 'command'; readonly entry: CommandEntry }
  | { readonly kind: 'group'; readonly group: string; readonly entries: readonly CommandEntry[] }
  | { readonly kind: 'unknown'; readonly nearest: readonly string[] };

/** What other programs call these, and what people look for here. */
const MEANT: Readonly<Record<string, readonly string[]>> = {
  ls: ['status', 'client list'],
  ps: ['status', 'env'],
  list: ['status', 'client list'],
  use: ['env', 'context'],
  renew: ['rotate server', 'rotate client'],
  rm: ['remove', 'forget'],
  delete: ['remove', 'forget'],
  uninstall: ['remove'],
  check: ['doctor', 'verify'],
  test: ['verify', 'doctor'],
};

/** The command that one or two words name; a longer name wins (`ca show` before `ca`). */
export function findCommand(words: readonly string[], commands: readonly CommandEntry[] = COMMANDS): Found {
  const [first = '', second] = words;
  const both = commands.find(({ name, alias }) => [name, alias].includes(`${first} ${second}`));
  if (both) return { kind: 'command', entry: both };
  const one = commands.find((entry) => entry.name === first);
  if (one) return { kind: 'command', entry: one };
  const entries = commands.filter((entry) => entry.name.startsWith(`${first} `));
  if (first !== '' && entries.length > 0) {
    if (second === undefined) return { kind: 'group', group: first, entries };
    const near = nearestNames(
      second,
      entries.map((entry) => entry.name.slice(first.length + 1)),
    );
    const choices = near.length > 0 ? near : entries.map((entry) => entry.name.slice(first.length + 1));
    return { kind: 'unknown', nearest: choices.map((name) => `${first} ${name}`) };
  }
  // The second word alone: revoke for client revoke.
  const grouped = commands.filter((entry) => entry.name.endsWith(` ${first}`)).map(({ name }) => name);
  const meant = [...(MEANT[first] ?? []), ...grouped];
  if (meant.length > 0) return { kind: 'unknown', nearest: meant };
  const names = [...new Set(commands.flatMap((entry) => [entry.name.split(' ')[0] as string]))];
  return { kind: 'unknown', nearest: nearestNames(first, names) };
}
