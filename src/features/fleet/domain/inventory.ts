/**
 * Hosts from sources other than a fleet file: output of `ansible-inventory --list`, or one HOST per line.
 * Ansible's passwords are neither read nor stored.
 */

import * as z from 'zod/mini';
import { nameOf, parseDestination } from '../../../core/domain/destination.ts';
import { at, type Fields, fieldsOf, isObject, parseJson } from '../../../core/domain/json.ts';
import { nameProblem } from '../../../core/domain/names.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { fleetKey, type Settings } from '../../../core/domain/setting.ts';
import { HOST_SETTINGS, type HostSpec, SSH_SETTINGS } from '../../../core/domain/settings.ts';
import { DockerTlsError, DockerTlsErrors, type Hint } from '../../../errors/errors.ts';
import { entryProblems } from './entry-problems.ts';
import { hasControlCharacters } from './fleet-document.ts';
import { hostOf } from './fleet-entry.ts';
import { hostGroups } from './inventory-groups.ts';
import { parseSshArguments } from './inventory-ssh.ts';
import { type HostEntry, hostSchema, type SshEntry } from './schema.ts';

/** One host of an inventory. An unusable host is an error only if it is selected. */
type InventoryHost = {
  readonly name: string;
  readonly spec?: HostSpec;
  /** The host's Ansible groups, including those that contain it through child groups. */
  readonly groups?: readonly string[];
  /** Set if ansible_connection names another kind of machine, such as winrm. */
  readonly connection?: string;
  /** E_INVENTORY (exit 2). */
  readonly problems: readonly DockerTlsError[];
};

const PREFIX = 'docker_tls_';
/** Type of a key's value, for sources with text only. */
const KINDS = new Map(
  [HOST_SETTINGS, SSH_SETTINGS].flatMap((table: Settings) =>
    Object.entries(table).map(([field, setting]) => [fleetKey(field, setting), setting.kind] as const),
  ),
);
const MAX_ERRORS = 50;

/** Ansible's variables for keys of our `ssh`, by precedence. */
const ANSIBLE = {
  destination: ['ansible_host', 'ansible_ssh_host'],
  user: ['ansible_user', 'ansible_ssh_user'],
  port: ['ansible_port', 'ansible_ssh_port'],
  identities: ['ansible_ssh_private_key_file', 'ansible_private_key_file'],
} as const;
const ARGUMENTS = ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args'] as const;
/** Windows and network devices: not Docker hosts with ssh. */
const OTHER_MACHINES = /^(?:[\w.]+\.)?(?:winrm|psrp|network_cli|netconf|httpapi)$/;
const READ: ReadonlySet<string> = new Set(['ansible_connection', ...ARGUMENTS, ...Object.values(ANSIBLE).flat()]);

/**
 * Parses hosts from standard input or an inventory file: JSON is `ansible-inventory --list`, anything else a list with one HOST per line
 * (`#` begins a comment). Throws DockerTlsErrors of E_INVENTORY (exit 2) for invalid or empty text.
 */
export function parseInventory(text: string, path = 'inventory'): InventoryHost[] {
  // The content of a pipe whose first program failed.
  if (text.trim() === '') {
    throw new DockerTlsErrors([problem(path, 'there is nothing in it', ['ansible-inventory -i hosts.ini --list'])]);
  }
  return /^\s*[{[]/.test(text.replace(/^\ufeff/, '')) ? parseAnsible(text, path) : parseHostList(text, path);
}

/** The selected hosts. Throws DockerTlsErrors of E_INVENTORY (exit 2) with all problems. */
export function chosenSpecs(hosts: readonly InventoryHost[]): HostSpec[] {
  const problems = hosts.flatMap((host) => host.problems);
  if (problems.length > 0) throw new DockerTlsErrors(problems.slice(0, MAX_ERRORS));
  return hosts.flatMap(({ spec }) => spec ?? []);
}

/** One HOST per line, `[user@]name[:port]` or `local`; ignores blank lines, comments after `#`, and repeated lines. */
function parseHostList(text: string, path = 'inventory'): InventoryHost[] {
  const hosts: InventoryHost[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const host = line.replace(/(?:^|\s)#.*$/, '').trim();
    if (host === '') continue;
    const where = `${path}:${index + 1}`;
    try {
      const ssh = parseDestination(host);
      const spec = hostOf(nameOf(ssh.destination), { ssh: host }, {});
      const known = hosts.find(({ name }) => name === spec.name)?.spec;
      if (known === undefined) hosts.push({ name: spec.name, spec, problems: [] });
      else if (JSON.stringify(known.ssh) !== JSON.stringify(spec.ssh))
        hosts.push({ name: spec.name, problems: [twice(where, spec.name)] });
    } catch (error) {
      if (!(error instanceof DockerTlsError)) throw error;
      const hints = ['one a line: root@build-1.example.org:22'];
      hosts.push({ name: host, problems: [problem(where, `${quoted(host)} is not a host`, hints)] });
    }
  }
  return hosts;
}

function parseAnsible(text: string, path: string): InventoryHost[] {
  const taken = new Set<string>();
  const inventory = readJson(text, path);
  const groupsOf = hostGroups(inventory);
  return [...hostVariables(inventory, groupsOf.keys())].map(([ansibleName, all]) => {
    const groups = groupsOf.get(ansibleName) ?? [];
    const where = `${path}: ${ansibleName}`;
    const problems: DockerTlsError[] = [];
    const say = (message: string, hints: readonly Hint[] = []) => problems.push(problem(where, message, hints));
    const own = readable(all, say);
    const connection = wordOf(own.ansible_connection ?? '');
    const other = OTHER_MACHINES.test(connection) ? { connection } : {};
    const entry = entryOf(ansibleName, own, say);
    const parsed = z.safeParse(hostSchema, entry);
    if (!parsed.success) {
      const value = { hosts: { [ansibleName]: entry } };
      for (const { path: at, key, message, hints } of entryProblems(parsed.error.issues, value, [
        'hosts',
        ansibleName,
      ])) {
        const keys = [...at.slice(2), ...(key === undefined ? [] : [key])].filter((one) => typeof one === 'string');
        say(`${variableOf(keys, own)}${message}`, hints);
      }
      return { name: ansibleName, groups, problems, ...other };
    }
    const name = nameProblem(ansibleName) === undefined ? ansibleName : nameOf(ansibleName);
    if (nameProblem(name) !== undefined) {
      say(`${quoted(ansibleName)} cannot be a name: ${nameProblem(name)}`);
      return { name: ansibleName, groups, problems };
    }
    if (taken.has(name)) problems.push(twice(where, name));
    taken.add(name);
    return { name, groups, spec: hostOf(name, parsed.data as HostEntry, {}), problems, ...other };
  });
}

function readJson(text: string, path: string): Fields {
  const inventory = parseJson(text.replace(/^\ufeff/, ''));
  if (isObject(inventory)) return inventory;
  if (inventory === undefined) {
    const file = path === 'stdin' ? 'hosts.ini' : shellQuote(path);
    const hints = [`ansible-inventory -i ${file} --list > inventory.json`];
    throw new DockerTlsErrors([problem(path, 'this is not JSON', hints)]);
  }
  const hints = ['ansible-inventory -i hosts.ini --list'];
  throw new DockerTlsErrors([problem(path, 'this is not an inventory of Ansible', hints)]);
}

/** Every host with its variables, in group order. Hosts without variables are in groups only. */
function hostVariables(inventory: Fields, names: Iterable<string>): Map<string, Fields> {
  const meta = fieldsOf(at(inventory, '_meta', 'hostvars'));
  return new Map([...new Set([...names, ...Object.keys(meta)])].map((name) => [name, fieldsOf(at(meta, name))]));
}

type Say = (message: string, hints?: readonly Hint[]) => void;

/** Relevant variables as plain values. Reports those encrypted by ansible-vault. */
function readable(variables: Fields, say: Say): Fields {
  const known = Object.entries(variables).filter(([name]) => READ.has(name) || name.startsWith(PREFIX));
  return Object.fromEntries(
    known.flatMap(([name, value]) => {
      if (isObject(value) && Object.hasOwn(value, '__ansible_unsafe')) return [[name, value.__ansible_unsafe]];
      if (!isObject(value) || !Object.hasOwn(value, '__ansible_vault')) return [[name, value]];
      say(`${name} is encrypted by ansible-vault`, [
        'ansible-inventory -i hosts.ini --list --vault-password-file FILE > inventory.json',
      ]);
      return [];
    }),
  );
}

/** The variable behind a key of the entry, with a colon; empty for the host's own name. */
function variableOf(keys: readonly string[], variables: Fields): string {
  if (keys.length === 0) return '';
  const ours = `${PREFIX}${keys.join('_').replaceAll('-', '_')}`;
  const [section, key = ''] = keys;
  const theirs = section === 'ssh' && Object.hasOwn(ANSIBLE, key) ? ANSIBLE[key as keyof typeof ANSIBLE] : [];
  if (!Object.hasOwn(variables, ours)) {
    const found = theirs.find((name) => Object.hasOwn(variables, name));
    if (found !== undefined) return `${found}: `;
    if (key === 'destination') return '';
  }
  return `${ours}: `;
}

/** A host's variables as a fleet file entry, for validation by the schema. */
function entryOf(name: string, variables: Fields, say: Say): Record<string, unknown> {
  const first = (...keys: string[]) =>
    keys.map((key) => variables[key]).find((value) => value !== undefined && value !== null);
  const connection = first('ansible_connection') ?? 'ssh';
  if (
    !['ssh', 'smart', 'paramiko', 'paramiko_ssh', 'local', 'ansible.builtin.ssh', 'ansible.builtin.local'].includes(
      wordOf(connection),
    )
  ) {
    say(`ansible_connection: ${quoted(wordOf(connection))} is not a connection that docker-tls supports (ssh, local)`, [
      'leave the host out: --limit',
    ]);
  }
  const local = /(?:^|\.)local$/.test(wordOf(connection));
  const ssh: Record<string, unknown> = {
    destination: local ? 'local' : wordOf(first(...ANSIBLE.destination) ?? name),
  };
  if (!local) {
    for (const key of ARGUMENTS) {
      const { ssh: given, problems } = parseSshArguments(wordOf(variables[key] ?? ''));
      Object.assign(ssh, given);
      for (const { message, hint } of problems) say(`${key}: ${message}`, [hint]);
    }
    put(ssh, 'user', first(...ANSIBLE.user));
    put(ssh, 'port', numeric(first(...ANSIBLE.port)));
    const identity = first(...ANSIBLE.identities);
    if (identity !== undefined) ssh.identities = [identity];
  }
  const entry: Record<string, unknown> = {};
  for (const [variable, value] of Object.entries(variables)) {
    if (!variable.startsWith(PREFIX)) continue;
    const key = variable.slice(PREFIX.length).replaceAll('_', '-');
    if (key === 'sudo-password') {
      say(`${variable} cannot be set in an inventory`, ['--sudo-password-file FILE, or a fleet file']);
    } else if (key === 'ssh' && isObject(value)) {
      for (const [inner, one] of Object.entries(value))
        put(ssh, inner.replaceAll('_', '-'), coerced(inner.replaceAll('_', '-'), one));
    } else if (key.startsWith('ssh-')) put(ssh, key.slice(4), coerced(key.slice(4), value));
    else put(entry, key, coerced(key, value));
  }
  for (const one of texts([entry, ssh])) {
    if (hasControlCharacters(one)) say(`${quoted(one)} holds a control character`);
    else if (/\{\{|\{%/.test(one)) {
      say(`${quoted(one)} is a template, and ansible-inventory does not expand it`, [
        'give the value itself, or leave the host out: --limit',
      ]);
    }
  }
  return { ...entry, ssh: ssh as SshEntry };
}

/** INI inventories and `-e` have text only: converts `true`, `2377` and `a,b`. */
function coerced(key: string, value: unknown): unknown {
  switch (KINDS.get(key)) {
    case 'flag': {
      const off = value === false || (typeof value === 'string' && /^(?:false|no|off|0)$/i.test(value));
      // Omission disables an optional setting of a host.
      if (off) return key === 'live-restore' ? false : undefined;
      return typeof value === 'string' && /^(?:true|yes|on|1)$/i.test(value) ? true : value;
    }
    case 'list':
      return typeof value === 'string' && value !== 'all' ? value.split(/[\s,]+/).filter((one) => one !== '') : value;
    case 'number':
      return numeric(value);
    default:
      return key === 'confirm-within' ? numeric(value) : value;
  }
}

/** JSON may contain objects whose toString is not a function. */
function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function numeric(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
}

function put(record: Record<string, unknown>, key: string, value: unknown): void {
  if (value !== undefined && value !== null && key !== '__proto__') record[key] = value;
}

/** Texts of variables. Values nested deeper than a list in a map are omitted; the schema rejects them. */
function texts(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null && depth < 3
    ? Object.values(value).flatMap((one) => texts(one, depth + 1))
    : [];
}

function quoted(text: string): string {
  return `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`;
}

function twice(where: string, name: string): DockerTlsError {
  return problem(where, `a second host would be called ${name}`, [
    'give each its own name in a fleet file: docker-tls plan -f fleet.yaml',
  ]);
}

function problem(where: string, message: string, hints: readonly Hint[] = []): DockerTlsError {
  return new DockerTlsError('E_INVENTORY', message, { where, hints });
}
