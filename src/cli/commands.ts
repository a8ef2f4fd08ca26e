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

/** A file of commands/, imported when the command is called. */
function entry(name: string, summary: string, load: () => Promise<{ readonly command: Command }>): CommandEntry {
  return { name, summary, load: async () => (await load()).command };
}

export const COMMANDS: readonly CommandEntry[] = [
  entry('setup', 'Set up mutual TLS on a Docker host over SSH', () => import('./commands/setup.ts')),
  entry('plan', 'What apply would change; changes nothing', () => import('./commands/plan.ts')),
  entry('apply', 'Make hosts what they should be, in parallel', () => import('./commands/apply.ts')),
  entry(
    'verify',
    'Verify over the network which clients are accepted and which are rejected',
    () => import('./commands/verify.ts'),
  ),
  entry(
    'status',
    'Every host, client and CA: expiry, days left, renewal due, drift',
    () => import('./commands/status.ts'),
  ),
  entry(
    'rotate server',
    'New key and certificate for hosts; nothing is refused, nothing stops',
    () => import('./commands/rotate-server.ts'),
  ),
  entry(
    'rotate client',
    'New key and certificate for clients; touches no host',
    () => import('./commands/rotate-client.ts'),
  ),
  entry(
    'rotate ca',
    'A new CA: accept old and new, issue from the new, drop the old',
    () => import('./commands/rotate-ca.ts'),
  ),
  entry('client add', 'A client certificate for a person or a program', () => import('./commands/client-add.ts')),
  {
    name: 'client revoke',
    alias: 'client rm',
    summary: 'Reject a client on every host; other clients keep their files',
    load: async () => (await import('./commands/client-revoke.ts')).command,
  },
  {
    name: 'client list',
    alias: 'client ls',
    summary: 'Who can reach what',
    load: async () => (await import('./commands/client-list.ts')).command,
  },
  entry(
    'client use',
    "Make a client this computer's own: the one that commands use without --client",
    () => import('./commands/client-use.ts'),
  ),
  entry(
    'client export',
    'A client as one file for another computer, a keychain or CI',
    () => import('./commands/client-export.ts'),
  ),
  entry(
    'client import',
    'Directory, contexts and environment from a bundle of another computer',
    () => import('./commands/client-import.ts'),
  ),
  entry(
    'client request',
    'A key that never leaves this computer, and a request for its certificate',
    () => import('./commands/client-request.ts'),
  ),
  entry(
    'client sign',
    "Sign a colleague's request; the key stays with its owner",
    () => import('./commands/client-sign.ts'),
  ),
  entry('ca create', 'A new CA; setup makes one by itself', () => import('./commands/ca-create.ts')),
  entry('ca show', 'The CA: name, fingerprint, validity, where its key is', () => import('./commands/ca-show.ts')),
  entry(
    'ca export',
    "The CA's certificate; with --with-key its key too, always encrypted",
    () => import('./commands/ca-export.ts'),
  ),
  entry(
    'ca import',
    'Use your own CA, even if its key stays on another machine',
    () => import('./commands/ca-import.ts'),
  ),
  entry(
    'import docker-machine',
    "Take over hosts from docker-machine's store",
    () => import('./commands/import-docker-machine.ts'),
  ),
  entry(
    'operator add',
    'Let a person or a runner open a shared store and its CA',
    () => import('./commands/operator-add.ts'),
  ),
  {
    name: 'operator remove',
    alias: 'operator rm',
    summary: 'Encrypt a shared store again, without one of its operators',
    load: async () => (await import('./commands/operator-remove.ts')).command,
  },
  {
    name: 'operator list',
    alias: 'operator ls',
    summary: 'Who can open a shared store, and its CA',
    load: async () => (await import('./commands/operator-list.ts')).command,
  },
  entry(
    'store copy',
    'Copy the store into a shared one, or into a directory, and compare',
    () => import('./commands/store-copy.ts'),
  ),
  entry(
    'store export',
    'The whole store as one file for a backup, encrypted with age',
    () => import('./commands/store-export.ts'),
  ),
  entry(
    'store check',
    'Whether a shared store is whole, signed, and the newest that was seen',
    () => import('./commands/store-check.ts'),
  ),
  entry(
    'store restore',
    'Put the newest state that this computer has seen back into a shared store',
    () => import('./commands/store-restore.ts'),
  ),
  entry('log', 'What was changed in a shared store, when and by whom', () => import('./commands/log.ts')),
  entry('rollback', 'Back to the generation before, verified', () => import('./commands/rollback.ts')),
  entry(
    'remove',
    "Undo: the host's files, units and socket as they were before setup",
    () => import('./commands/remove.ts'),
  ),
  entry(
    'forget',
    'Drop a host that is gone from the store, without connecting to it',
    () => import('./commands/forget.ts'),
  ),
  entry('rename', 'Give a host of the store another name; changes nothing on it', () => import('./commands/rename.ts')),
  entry(
    'audit',
    'Checks of host, daemon, containers and TLS (CIS numbers); changes nothing',
    () => import('./commands/audit.ts'),
  ),
  entry(
    'harden',
    'Fix audit findings (planned, verified, rolled back on failure)',
    () => import('./commands/harden.ts'),
  ),
  entry('env', 'Lines for the shell, or for a tool, that point it at a host', () => import('./commands/env.ts')),
  entry('context', 'Create or update a docker context for a host', () => import('./commands/context.ts')),
  entry('ssh', 'Log in to a host by SSH, as docker-tls does', () => import('./commands/ssh.ts')),
  entry('tunnel', 'Reach the daemon of a host through SSH, as long as this runs', () => import('./commands/tunnel.ts')),
  entry('doctor', 'Diagnose why docker cannot reach a host, and print the fix', () => import('./commands/doctor.ts')),
  entry(
    'notices',
    'Say after docker commands when a certificate is due: on or off',
    () => import('./commands/notices.ts'),
  ),
  entry(
    'schedule',
    'Renew on its own: a systemd timer, a cron line, or a CI job',
    () => import('./commands/schedule.ts'),
  ),
  entry('completion', 'Print the completion script for a shell', () => import('./commands/completion.ts')),
  entry('version', 'The version of docker-tls, and what it runs on', () => import('./commands/version.ts')),
];

export type Found =
  | { readonly kind: 'command'; readonly entry: CommandEntry }
  | { readonly kind: 'group'; readonly group: string; readonly entries: readonly CommandEntry[] }
  | { readonly kind: 'unknown'; readonly nearest: readonly string[] };

/** What other programs call these, and what users look for here. */
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
  const meant = [...new Set([...(MEANT[first] ?? []), ...grouped])];
  if (meant.length > 0) return { kind: 'unknown', nearest: meant };
  const names = [...new Set(commands.flatMap((entry) => [entry.name.split(' ')[0] as string]))];
  return { kind: 'unknown', nearest: nearestNames(first, names) };
}
