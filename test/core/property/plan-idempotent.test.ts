/** A plan after apply has nothing to do, and remove restores every file. For random settings of other people. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDaemonJson } from '../../../src/core/domain/dockerd/daemon-json.ts';
import { hasOurName } from '../../../src/core/domain/dockerd/drop-in.ts';
import { CURRENT_LINK, DROP_IN_DIRECTORY, TLS_DIRECTORY } from '../../../src/core/domain/dockerd/paths.ts';
import { effectiveList } from '../../../src/core/domain/dockerd/unit.ts';
import type { DesiredHost } from '../../../src/core/domain/plan/desired.ts';
import { fileText, type HostFacts, parseFacts } from '../../../src/core/domain/plan/facts.ts';
import type { FileChange } from '../../../src/core/domain/plan/file-change.ts';
import type { PathState } from '../../../src/core/domain/plan/host-files.ts';
import type { SnapshotEntry } from '../../../src/core/domain/plan/host-state.ts';
import { type HostPlan, hasChanges, planHost } from '../../../src/core/domain/plan/plan-host.ts';
import { planRestore } from '../../../src/core/domain/plan/plan-restore.ts';
import { certificateIds } from '../../../src/core/domain/trust/ca-id.ts';
import { printFacts } from '../../support/sections.ts';
import { CREDENTIALS } from '../../support/store-credentials.ts';

const [CA, CERT] = CREDENTIALS.map(({ cert }) => cert) as [string, string];
const UNIT = '/usr/lib/systemd/system/docker.service';
const DEFAULTS = '/etc/default/docker';
const JSON_PATH = '/etc/docker/daemon.json';

const hostFlag = fc.constantFrom(
  '-H fd://',
  '-H unix:///run/x.sock',
  '-H tcp://0.0.0.0:2375',
  '--host=tcp://127.0.0.1:2376',
  '-H tcp://[::1]:2399',
);
const otherFlag = fc.constantFrom(
  '--debug',
  '--label a=b',
  '--tlsverify',
  '--tlscacert=/x/ca.pem',
  '--log-level=warn',
  '"--label=c d"',
);
const flags = fc.array(fc.oneof(hostFlag, otherFlag), { maxLength: 4 }).map((all) => [...new Set(all)].join(' '));
const settings = fc.record({
  fragment: flags.map((text) => `[Service]\nExecStart=/usr/sbin/dockerd ${text} $DOCKER_OPTS\n`),
  dropIns: fc.dictionary(
    fc.constantFrom('override.conf', 'zzz.conf', '10-machine.conf'),
    flags.map((text) => `[Service]\nExecStart=\nExecStart=-/usr/bin/dockerd ${text}\n`),
    { maxKeys: 2, noNullPrototype: true },
  ),
  defaults: fc.option(
    flags.map((text) => `# mine\nDOCKER_OPTS="${text.replaceAll('"', '')}"\nOTHER=1\n`),
    { nil: undefined },
  ),
  json: fc.option(
    fc.record(
      {
        hosts: fc.uniqueArray(
          fc.constantFrom('fd://', 'unix:///var/run/docker.sock', 'tcp://0.0.0.0:2375', 'tcp://1.2.3.4:2399'),
          { minLength: 1 },
        ),
        tlsverify: fc.boolean(),
        tlscacert: fc.constant('/x/ca.pem'),
        'live-restore': fc.boolean(),
        labels: fc.constant(['x=y']),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
    { nil: undefined },
  ),
  indent: fc.constantFrom<number | string>(0, 2, 3, '\t'),
});
const wish = fc.record({
  listen: fc.constantFrom<string[][]>([], ['10.0.0.1'], ['fd00::1', '10.0.0.1']) as fc.Arbitrary<string[]>,
  liveRestore: fc.constantFrom(undefined, true, false),
});

function begin(given: {
  fragment: string;
  dropIns: Record<string, string>;
  defaults: string | undefined;
  json: unknown;
  indent: number | string;
}): HostFacts {
  const file = (text: string | undefined) => (text === undefined ? 'absent' : `file 640 0:0\n${text}`);
  const dropIns = Object.keys(given.dropIns).sort();
  const raw: Record<string, string> = {
    uid: '0',
    unit: `LoadState=loaded\nActiveState=active\nFragmentPath=${UNIT}`,
    'drop-ins': dropIns.map((name) => `${DROP_IN_DIRECTORY}/${name}`).join('\n'),
    'environment-files': DEFAULTS,
    'docker-socket': 'LoadState=loaded',
    [`file:${UNIT}`]: file(given.fragment),
    [`file:${DEFAULTS}`]: file(given.defaults),
    [`file:${JSON_PATH}`]: file(
      given.json === undefined ? undefined : JSON.stringify(given.json, undefined, given.indent),
    ),
    ...Object.fromEntries(dropIns.map((name) => [`file:${DROP_IN_DIRECTORY}/${name}`, file(given.dropIns[name])])),
  };
  return parseFacts(printFacts(raw));
}

/** Result of a change by the host's scripts, on facts instead of files. */
function carriedOut(facts: HostFacts, plan: HostPlan): HostFacts {
  const files = new Map(facts.files);
  const origin = new Map(facts.origin);
  for (const change of plan.files) {
    if (!origin.has(change.path)) origin.set(change.path, snapshot(facts.files.get(change.path), change.path));
    files.set(change.path, lies(change));
  }
  if (plan.credentials) {
    files.set(`${CURRENT_LINK}/ca.pem`, { kind: 'file', mode: '444', owner: '0:0', content: CA });
    files.set(`${CURRENT_LINK}/server-cert.pem`, {
      kind: 'file',
      mode: '444',
      owner: '0:0',
      content: CERT,
    });
  }
  const dropIns = [...files]
    .filter(([path, state]) => path.startsWith(`${DROP_IN_DIRECTORY}/`) && state.kind === 'file')
    .map(([path]) => path)
    .sort();
  const set = plan.generation !== 'none';
  return {
    ...facts,
    files,
    origin: set ? origin : new Map(),
    serverKey: set ? '400 0:0' : undefined,
    directories: new Map(set ? [[`${TLS_DIRECTORY}/${plan.generation}`, '700 0:0']] : []),
    state: set
      ? { schema: 1, name: plan.host, generation: plan.generation as number, generations: [], managed: plan.managed }
      : undefined,
    docker: {
      ...facts.docker,
      unit: { ...facts.docker.unit, dropIns },
      tlsSocket: { ...facts.docker.tlsSocket, active: plan.listening === 'systemd' ? 'active' : 'inactive' },
      cmdline: ['dockerd', `--tlscacert=${CURRENT_LINK}/ca.pem`],
    },
  };
}

function lies(change: FileChange): PathState {
  if (change.kind === 'link') return { kind: 'link', to: change.to ?? '' };
  if (change.kind === 'absent') return { kind: 'absent' };
  return { kind: 'file', mode: change.mode.replace(/^0+/, ''), owner: change.owner, content: change.after ?? '' };
}

function snapshot(state: PathState | undefined, path: string): SnapshotEntry {
  const base = { path, copy: '/copy', mode: '-', owner: '-' };
  if (state?.kind === 'file')
    return { ...base, kind: 'file', mode: state.mode, owner: state.owner, content: state.content };
  if (state?.kind === 'link') return { ...base, kind: 'link', to: state.to };
  return { ...base, kind: 'absent' };
}

const present = (facts: HostFacts) =>
  [...facts.files].filter(([path, state]) => state.kind !== 'absent' && !path.startsWith(`${CURRENT_LINK}/`)).sort();

test('apply, then plan is empty, then remove gives everything back', () => {
  fc.assert(
    fc.property(settings, wish, (given, { listen, liveRestore }) => {
      const desired: DesiredHost = {
        name: 'h',
        port: 2376,
        listen,
        credentials: { trust: certificateIds(CA), certificate: { keep: certificateIds(CERT) }, key: 'send' },
        containers: 'keep',
        ...(liveRestore === undefined ? {} : { liveRestore }),
      };
      const before = begin(given);
      const plan = planHost(before, desired);
      const after = carriedOut(before, plan);
      const again = planHost(after, desired);
      expect(
        hasChanges(again),
        JSON.stringify({ files: again.files, daemon: again.daemon, credentials: again.credentials }, undefined, 1),
      ).toBe(false);

      // The active command line is ours, requests certificates, and opens no port without that.
      const units = [UNIT, ...after.docker.unit.dropIns].map((path) => ({ path, text: fileText(after, path) ?? '' }));
      const line = effectiveList(units, 'Service', 'ExecStart').at(-1);
      expect(hasOurName(line?.path ?? '')).toBe(true);
      // Either by a flag or in daemon.json: dockerd does not start with both.
      const { tlsverify, tlscacert } = parseDaemonJson(fileText(after, JSON_PATH)).values;
      const inJson = tlsverify === true && tlscacert === `${CURRENT_LINK}/ca.pem`;
      expect([line?.value.match(/--tlsverify/g)?.length ?? 0, tlsverify]).toEqual(inJson ? [0, true] : [1, undefined]);
      if (line?.value.includes('$DOCKER_OPTS'))
        expect(fileText(after, DEFAULTS) ?? '').not.toMatch(/^DOCKER_OPTS=.*--tls/m);

      const back = carriedOut(after, planRestore(after, 'none', desired));
      expect(present(back)).toEqual(present(before));
    }),
    { numRuns: 200 },
  );
});
