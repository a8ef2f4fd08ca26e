/** Commands that check a new configuration on the host before anything changes. */

import { hasOurName } from '../dockerd/drop-in.ts';
import { environmentValue } from '../dockerd/environment-file.ts';
import { validationCommand } from '../dockerd/validate.ts';
import { keyTypeOf } from '../pki/keys.ts';
import { parseCertificate } from '../pki/parse.ts';
import { byKind } from './by-kind.ts';
import { type DaemonView, hasTlsInJson, viewDaemon } from './daemon-view.ts';
import type { Credentials } from './desired.ts';
import { fileText, type HostFacts, installedCredentials } from './facts.ts';
import { kindOf } from './host-kind.ts';
import { usesListener } from './listener.ts';
import type { ManifestEntry } from './manifest.ts';
import type { HostPlan } from './plan-host.ts';

/** daemon.json is rewritten during the restart, with live-restore. */
export function protects({ containers }: HostPlan): boolean {
  return containers.how === 'temporary' || containers.how === 'switched-on';
}

/** Shell text that fails if the listener or dockerd refuses its new configuration; empty: nothing to check. */
export function validationScript(
  plan: HostPlan,
  facts: HostFacts,
  entries: readonly ManifestEntry[],
  credentials: Credentials | undefined,
): string {
  const daemon = isInUse(plan, facts, credentials) ? '' : daemonValidation(plan, facts, entries);
  const { check } = plan.listener;
  // That of an old dockerd ends the script itself.
  return check === '' || daemon === '' ? `${check}${daemon}` : `${check} && { ${daemon}; }`;
}

/**
 * Whether the running daemon already has its planned configuration, except for certificates and a key of the same type. Validation is then
 * unnecessary.
 */
export function isInUse({ files }: HostPlan, facts: HostFacts, credentials: Credentials | undefined): boolean {
  const { runsBinary, binary, edited, unit } = facts.docker;
  const view = viewDaemon(facts);
  const before = installedCredentials(facts)?.cert;
  return (
    credentials !== undefined &&
    before !== undefined &&
    unit.active === 'active' &&
    runsBinary &&
    view.commandLine?.program === binary &&
    // The only configuration file that is checked for edits.
    view.configName === facts.places.daemonJson &&
    edited?.length === 0 &&
    files.every(({ kind, path }) => kind === 'link' && path === facts.places.current) &&
    keyType(before) === keyType(credentials.cert)
  );
}

/** Key type of a certificate; undefined if the certificate, possibly another program's, is unreadable. */
function keyType(cert: string): string | undefined {
  try {
    return keyTypeOf(parseCertificate(cert).x509.publicKey);
  } catch {
    return undefined;
  }
}

function daemonValidation(plan: HostPlan, facts: HostFacts, entries: readonly ManifestEntry[]): string {
  const protect = protects(plan);
  if (plan.daemon.action === 'none' || plan.purpose !== 'apply' || !kindOf(facts).engine.configurable) return '';
  const staged = entries.some((entry) => entry.kind === 'file' && entry.path === plan.daemonJson.path);
  const view = viewDaemon(facts);
  const execStart = START_COMMANDS.of(kindOf(facts).name)(plan, facts, view);
  const names = Array.from(execStart.matchAll(/\$\{?([A-Za-z_][A-Za-z0-9_]*)/g), ([, name = '']) => name);
  return validationCommand({
    execStart,
    variables: Object.fromEntries(
      names.map((name) => {
        const variable = view.variable(name);
        const edited = plan.files.find((change) => change.path === variable?.file)?.after;
        const value = edited === undefined ? variable?.value : environmentValue(edited, name)?.value;
        return [name, value ?? ''];
      }),
    ),
    version: facts.docker.version,
    configFile: plan.daemonJson.path,
    stagedConfigFile: protect || staged ? `${plan.daemonJson.path}.docker-tls-new${protect ? '-on' : ''}` : undefined,
    configExists: fileText(facts, plan.daemonJson.path) !== undefined,
    configSetsPidfile: 'pidfile' in view.json.values,
    configNamesCredentials: hasTlsInJson(view),
    credentialsBefore: facts.places.current,
    credentialsAfter: `${facts.places.tls}/${plan.generation}`,
  });
}

/** In systemd's syntax; empty: it cannot be told. */
export type StartCommand = (plan: HostPlan, facts: HostFacts, view: DaemonView) => string;

export const START_COMMANDS = byKind<StartCommand>(unitStart);

/** ExecStart of our drop-in; the active drop-in's if the plan has no new one (new credentials only). Without ours, the administrator's. */
export function unitStart(plan: HostPlan, facts: HostFacts, view: DaemonView): string {
  if (usesListener(plan)) return view.execStart?.value ?? '';
  const isDropIn = ({ kind, path }: { kind: string; path: string }): boolean =>
    kind === 'file' && path.startsWith(`${facts.places.dropIns}/`) && hasOurName(path);
  const dropIn = plan.files.find(isDropIn)?.after ?? fileText(facts, plan.managed.find(isDropIn)?.path ?? '') ?? '';
  return /^ExecStart=(.+)$/m.exec(dropIn)?.[1] ?? '';
}
