/**
 * The list of commands: name, summary, group and file. To keep the start fast, a command's code is imported only when it is called. To add a
 * command: a file in commands/, and its line here.
 */

import { nearestNames } from '../core/domain/nearest.ts';
import { COMMAND_SEAM } from '../core/seams/feature-commands.ts';
import { type CommandEntry, type CommandGroup, listCommand } from './command.ts';

const CLIENTS: CommandGroup = { name: 'clients', summary: 'Who may use the hosts: add, list, revoke' };
const CA: CommandGroup = { name: 'ca', summary: 'The CA of this store: create, show, export, passphrase' };
const MORE: CommandGroup = { name: 'more', summary: 'Everything else: checks, contexts, undoing, renewals, shells' };

/** In the order of the first page. */
export const COMMANDS: readonly CommandEntry[] = [
  listCommand(
    { name: 'setup', summary: 'Set up mutual TLS on a Docker host over SSH' },
    () => import('../core/commands/setup.ts'),
  ),
  listCommand(
    { name: 'plan', summary: 'Show the changes that apply would make' },
    () => import('../core/commands/plan.ts'),
  ),
  listCommand(
    { name: 'apply', summary: 'Bring hosts to their desired state, in parallel' },
    () => import('../core/commands/apply.ts'),
  ),
  listCommand(
    { name: 'verify', summary: 'Test over the network which clients each host accepts and rejects' },
    () => import('../core/commands/verify.ts'),
  ),
  listCommand(
    { name: 'status', summary: 'Show every host, client and CA: expiry, days left, renewal due, drift' },
    () => import('../core/commands/status.ts'),
  ),
  listCommand(
    {
      name: 'rotate server',
      summary: 'Renew keys and certificates of hosts; containers keep running, open streams (logs -f, exec, build) end',
    },
    () => import('../core/commands/rotate-server.ts'),
  ),
  listCommand(
    { name: 'rotate client', summary: 'Renew keys and certificates of clients; changes no host' },
    () => import('../core/commands/rotate-client.ts'),
  ),
  listCommand(
    { name: 'client add', summary: 'Create a client certificate for a person or a program', group: CLIENTS },
    () => import('../core/commands/client-add.ts'),
  ),
  listCommand(
    {
      name: 'client revoke',
      summary: 'Reject a client on every host; other clients keep their files',
      alias: 'client rm',
      group: CLIENTS,
    },
    () => import('../core/commands/client-revoke.ts'),
  ),
  listCommand(
    { name: 'client list', summary: 'List clients and the hosts that they reach', alias: 'client ls', group: CLIENTS },
    () => import('../core/commands/client-list.ts'),
  ),
  listCommand(
    {
      name: 'client use',
      summary: "Make a client this computer's own: the one that commands use without --client",
      group: CLIENTS,
    },
    () => import('../core/commands/client-use.ts'),
  ),
  listCommand(
    { name: 'ca create', summary: 'Create a CA; setup does this if there is none', group: CA },
    () => import('../core/commands/ca-create.ts'),
  ),
  listCommand(
    { name: 'ca show', summary: 'Show the CA: name, fingerprint, validity, place of its key', group: CA },
    () => import('../core/commands/ca-show.ts'),
  ),
  listCommand(
    {
      name: 'ca export',
      summary: "Export the CA's certificate; with --with-key its key too, always encrypted",
      group: CA,
    },
    () => import('../core/commands/ca-export.ts'),
  ),
  listCommand(
    { name: 'ca passphrase', summary: 'Change the passphrase of the keys in this store', group: CA },
    () => import('../core/commands/ca-passphrase.ts'),
  ),
  listCommand(
    { name: 'rollback', summary: 'Roll back to the previous generation and verify it' },
    () => import('../core/commands/rollback.ts'),
  ),
  listCommand(
    { name: 'remove', summary: 'Restore a host to its state before setup' },
    () => import('../core/commands/remove.ts'),
  ),
  listCommand(
    { name: 'forget', summary: 'Remove a lost host from the store, without connecting to it' },
    () => import('../core/commands/forget.ts'),
  ),
  listCommand(
    { name: 'rename', summary: 'Rename a host in the store; changes nothing on the host' },
    () => import('../core/commands/rename.ts'),
  ),
  listCommand(
    { name: 'env', summary: 'Print lines that point a shell or a tool at a host' },
    () => import('../core/commands/env.ts'),
  ),
  listCommand(
    { name: 'version', summary: 'Show the versions of docker-tls and its runtime' },
    () => import('../core/commands/version.ts'),
  ),
  ...COMMAND_SEAM.all,
];

/** The verbs that are commands of this build: features add some. */
function verbsOf(first: string, ...verbs: readonly string[]): string[] {
  return verbs.filter((verb) => COMMANDS.some(({ name }) => name === `${first} ${verb}`));
}

/** First words of several commands, as on the first page. */
const FAMILIES: Readonly<Record<string, string>> = {
  rotate: [
    'Renew certificates: rotate server, rotate client',
    ...verbsOf('rotate', 'ca').map((verb) => `replace the CA: rotate ${verb}`),
  ].join('; '),
  client: `Who may use the hosts: client ${verbsOf('client', 'add', 'list', 'export', 'revoke').join(', ')} …`,
};

/** The commands of a user's first day. */
const FIRST = ['setup', 'status', 'plan', 'apply', 'rotate', 'client', 'env', 'remove'];

/** The first eight lines of the first page. */
export function firstCommands(commands: readonly CommandEntry[]): readonly Pick<CommandEntry, 'name' | 'summary'>[] {
  return FIRST.flatMap((name) => {
    const summary = commands.find((entry) => entry.name === name)?.summary ?? FAMILIES[name];
    return summary !== undefined && commands.some((entry) => firstWord(entry) === name) ? [{ name, summary }] : [];
  });
}

export type ListedGroup = CommandGroup & { readonly entries: readonly CommandEntry[] };

/** The other commands: in the order of their first ones, `more` last. */
export function commandGroups(commands: readonly CommandEntry[]): readonly ListedGroup[] {
  const others = commands.filter((entry) => entry.group !== undefined || !FIRST.includes(firstWord(entry)));
  // By name. A feature that adds commands to a group of the core gives the summary with them.
  const groups = new Map(others.flatMap(({ group }) => (group === undefined ? [] : [[group.name, group]])));
  return [...groups.values(), MORE].flatMap((group) => {
    const entries = others.filter((entry) => (entry.group ?? MORE).name === group.name);
    return entries.length > 0 ? [{ ...group, entries }] : [];
  });
}

function firstWord({ name }: CommandEntry): string {
  return name.split(' ')[0] as string;
}

type Found =
  | { readonly kind: 'command'; readonly entry: CommandEntry }
  | ({ readonly kind: 'group' } & ListedGroup)
  | { readonly kind: 'unknown'; readonly nearest: readonly string[] };

/** Other programs' names for these commands, and words that users try. */
const MEANT: Readonly<Record<string, readonly string[]>> = {
  ls: ['status', 'client list'],
  ps: ['status', 'env'],
  list: ['status', 'client list'],
  use: ['env'],
  rm: ['remove', 'forget'],
  delete: ['remove', 'forget'],
  uninstall: ['remove'],
  check: ['verify'],
  test: ['verify'],
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
    if (second === undefined)
      return { kind: 'group', name: first, summary: FAMILIES[first] ?? `Commands of ${first}`, entries };
    const near = nearestNames(
      second,
      entries.map((entry) => entry.name.slice(first.length + 1)),
    );
    const choices = near.length > 0 ? near : entries.map((entry) => entry.name.slice(first.length + 1));
    return { kind: 'unknown', nearest: choices.map((name) => `${first} ${name}`) };
  }
  // The second word alone: revoke for client revoke.
  const grouped = commands.filter((entry) => entry.name.endsWith(` ${first}`)).map(({ name }) => name);
  const tried = commands.filter((entry) => entry.triedAs?.includes(first)).map(({ name }) => name);
  const meant = [...new Set([...(MEANT[first] ?? []), ...tried, ...grouped])];
  if (meant.length > 0) return { kind: 'unknown', nearest: meant };
  const names = [...new Set(commands.flatMap((entry) => [entry.name.split(' ')[0] as string]))];
  return { kind: 'unknown', nearest: nearestNames(first, names) };
}
