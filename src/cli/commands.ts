/**
 * The list of commands: name, summary and file. To keep the start fast, a command's code is imported only when it is called. To add a
 * command: a file in commands/, and its name and summary here.
 */

import { nearestNames } from '../core/domain/fleet/nearest.ts';
import { COMMAND_SEAM } from '../core/seams/feature-commands.ts';
import { type CommandEntry, listCommand } from './command.ts';

const FILES = {
  setup: () => import('../core/commands/setup.ts'),
  plan: () => import('../core/commands/plan.ts'),
  apply: () => import('../core/commands/apply.ts'),
  verify: () => import('../core/commands/verify.ts'),
  status: () => import('../core/commands/status.ts'),
  'rotate server': () => import('../core/commands/rotate-server.ts'),
  'rotate client': () => import('../core/commands/rotate-client.ts'),
  'rotate ca': () => import('../core/commands/rotate-ca.ts'),
  'client add': () => import('../core/commands/client-add.ts'),
  'client revoke': () => import('../core/commands/client-revoke.ts'),
  'client list': () => import('../core/commands/client-list.ts'),
  'client use': () => import('../core/commands/client-use.ts'),
  'client export': () => import('../core/commands/client-export.ts'),
  'client import': () => import('../core/commands/client-import.ts'),
  'client request': () => import('../core/commands/client-request.ts'),
  'client sign': () => import('../core/commands/client-sign.ts'),
  'ca create': () => import('../core/commands/ca-create.ts'),
  'ca show': () => import('../core/commands/ca-show.ts'),
  'ca export': () => import('../core/commands/ca-export.ts'),
  'ca import': () => import('../core/commands/ca-import.ts'),
  rollback: () => import('../core/commands/rollback.ts'),
  remove: () => import('../core/commands/remove.ts'),
  forget: () => import('../core/commands/forget.ts'),
  rename: () => import('../core/commands/rename.ts'),
  env: () => import('../core/commands/env.ts'),
  context: () => import('../core/commands/context.ts'),
  ssh: () => import('../core/commands/ssh.ts'),
  tunnel: () => import('../core/commands/tunnel.ts'),
  doctor: () => import('../core/commands/doctor.ts'),
  notices: () => import('../core/commands/notices.ts'),
  schedule: () => import('../core/commands/schedule.ts'),
  completion: () => import('../core/commands/completion.ts'),
  version: () => import('../core/commands/version.ts'),
};

const SUMMARIES: Readonly<Record<keyof typeof FILES, string>> = {
  setup: 'Set up mutual TLS on a Docker host over SSH',
  plan: 'Show the changes that apply would make',
  apply: 'Bring hosts to their desired state, in parallel',
  verify: 'Test over the network which clients each host accepts and rejects',
  status: 'Show every host, client and CA: expiry, days left, renewal due, drift',
  'rotate server':
    'Renew keys and certificates of hosts; containers keep running, open streams (logs -f, exec, build) end',
  'rotate client': 'Renew keys and certificates of clients; changes no host',
  'rotate ca': 'Replace the CA: accept old and new, issue from the new, drop the old',
  'client add': 'Create a client certificate for a person or a program',
  'client revoke': 'Reject a client on every host; other clients keep their files',
  'client list': 'List clients and the hosts that they reach',
  'client use': "Make a client this computer's own: the one that commands use without --client",
  'client export': 'Export a client as one file for another computer, a keychain or CI',
  'client import': 'Import the credentials of a client from a bundle',
  'client request': 'Create a key that stays on this computer, and a request for its certificate',
  'client sign': "Sign a colleague's request; the key stays with its owner",
  'ca create': 'Create a CA; setup does this if there is none',
  'ca show': 'Show the CA: name, fingerprint, validity, place of its key',
  'ca export': "Export the CA's certificate; with --with-key its key too, always encrypted",
  'ca import': 'Use your own CA, even if its key stays on another machine',
  rollback: 'Roll back to the previous generation and verify it',
  remove: 'Restore a host to its state before setup',
  forget: 'Remove a lost host from the store, without connecting to it',
  rename: 'Rename a host in the store; changes nothing on the host',
  env: 'Print lines that point a shell or a tool at a host',
  context: 'Create or update a docker context for a host',
  ssh: 'Log in to a host by SSH, as docker-tls does',
  tunnel: 'Reach the daemon of a host through SSH while this command runs',
  doctor: 'Diagnose why docker cannot reach a host, and print the fix',
  notices: 'Turn expiry warnings after docker commands on or off',
  schedule: 'Schedule renewals: a systemd timer, a cron line, or a CI job',
  completion: 'Print the completion script for a shell',
  version: 'Show the versions of docker-tls and its runtime',
};

/** The names that docker uses for the same commands. */
const ALIASES: Readonly<Record<string, string>> = {
  'client revoke': 'client rm',
  'client list': 'client ls',
};

/** In the order of the first page. */
export const COMMANDS: readonly CommandEntry[] = [
  ...Object.entries(FILES).map(([name, file]) =>
    listCommand({ name, summary: SUMMARIES[name as keyof typeof FILES], alias: ALIASES[name] }, file),
  ),
  ...COMMAND_SEAM.all,
];

type Found =
  | { readonly kind: 'command'; readonly entry: CommandEntry }
  | { readonly kind: 'group'; readonly group: string; readonly entries: readonly CommandEntry[] }
  | { readonly kind: 'unknown'; readonly nearest: readonly string[] };

/** Other programs' names for these commands, and words that users try. */
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

/** The command named by one or two words; a longer name wins (`ca show` before `ca`). */
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
