// Records the corpus of misconfigured hosts and containers on a lab host: node test/features/audit/golden/corpus/record.mjs [hosts|containers]. Takes root and
// some minutes. Each host is made in a mount namespace of its own, whose /etc, /usr, /root and /home are overlays: of its facts, the
// sections are kept that differ from those of the lab host. Afterwards: npx vitest run test/features/audit/unit/audit-corpus.test.ts.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundled } from '../../../../../scripts/host-scripts.mjs';

const here = new URL('./', import.meta.url);
const lab = fileURLToPath(new URL('../../../../../scripts/lab', here));
const { AUDIT_SCRIPT } = await bundled('src/features/audit/host/audit-scripts.ts');
const { SYSCTL_PATHS } = await bundled('src/features/audit/domain/sysctls.ts');
const { parseSections } = await bundled('src/core/domain/dockerd/sections.ts');
const { HOSTS, PRELUDE } = await bundled('test/features/audit/golden/corpus/hosts.ts');
const { CONTAINERS, SAFE } = await bundled('test/features/audit/golden/corpus/containers.ts');
const { madeContainers, madeHosts } = await bundled('test/features/audit/golden/corpus/made.ts');
const HOST = 'rec-corpus';
const FACTS = `SYSCTLS='${SYSCTL_PATHS}'\n${AUDIT_SCRIPT}`;

function run(args, input = '') {
  const { status, stdout, stderr, error } = spawnSync(lab, args, { input, maxBuffer: 1 << 27 });
  if (status !== 0) throw new Error(`${args.join(' ')}: ${error ?? `exit ${status}\n${stderr}`}`);
  return stdout;
}

const OVERLAYS = `mount --make-rprivate / && mount -t tmpfs tmpfs /run/ov
for directory in etc usr root home; do
  mkdir -p "/run/ov/$directory" "/run/ov/work-$directory"
  mount -t overlay overlay -o "lowerdir=/$directory,upperdir=/run/ov/$directory,workdir=/run/ov/work-$directory" "/$directory" || exit
done
`;

/** Differ from one run to the next. */
const VOLATILE = /^(clock|tcp-listen|listening|process-status|dockerd-.*|api .*|mounts|done)$/;

function sections(made) {
  const script = `${OVERLAYS}${PRELUDE}{ ${made}; } >/dev/null 2>&1\n${FACTS}`;
  const stdout = run(['exec', HOST, 'unshare', '-m', 'sh', '-s'], script);
  return {
    stdout,
    found: new Map(parseSections(stdout, 'audit').map(({ name, content }) => [name, content.toString()])),
  };
}

function recordHosts() {
  run(['exec', HOST, 'mkdir', '-p', '/run/ov']);
  const { stdout, found: base } = sections(':');
  writeFileSync(new URL('base.facts', here), stdout);
  const changed = (made) => {
    const { found } = sections(made);
    const names = [...new Set([...base.keys(), ...found.keys()])].filter((name) => !VOLATILE.test(name));
    return Object.fromEntries(
      names.filter((name) => base.get(name) !== found.get(name)).map((name) => [name, found.get(name) ?? null]),
    );
  };
  const made = madeHosts();
  const lines = HOSTS.map(([check, bad, clean], index) => {
    const line = JSON.stringify({ check, made: made[index], bad: changed(bad), clean: changed(clean) });
    console.log(`recorded ${check}: ${bad}`);
    return line;
  });
  writeFileSync(new URL('hosts.json', here), `[\n${lines.join(',\n')}\n]\n`);
}

/** The options of a row, and of SAFE those that it does not have. */
function words(options) {
  const has = (name) => new RegExp(`(^|\\s)${name}(=|\\s|$)`).test(options);
  const health = /--no-healthcheck|--health-cmd/.test(options);
  const safe = SAFE.filter(([name]) =>
    name === '--security-opt' ? !/no-new-privileges/.test(options) : name === '--health-cmd' ? !health : !has(name),
  );
  return [...safe.map(([name, value]) => (value === '' ? name : `${name} '${value}'`)), options].join(' ');
}

/** Without what has no value: parsers take it as absent. An empty list can have a meaning (MaskedPaths). */
function filled(value) {
  if (Array.isArray(value)) return value.map(filled);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, filled(inner)]);
  return Object.fromEntries(
    entries.filter(
      ([, one]) =>
        one !== null &&
        one !== '' &&
        !(typeof one === 'object' && !Array.isArray(one) && Object.keys(one).length === 0),
    ),
  );
}

function recordContainers() {
  const starts = CONTAINERS.flatMap(([, bad, clean], index) =>
    [bad, clean].map((options, twin) => {
      const name = `c${index}-${twin === 0 ? 'bad' : 'clean'}`;
      return `docker run -d --stop-signal KILL --name ${name} ${words(options)} busybox sleep 1d >/dev/null 2>/tmp/e || { echo "${name}: $(tail -n 1 /tmp/e)" >&2; docker rm -f ${name} >/dev/null 2>&1; docker create --name ${name} ${words(options)} busybox >/dev/null; }`;
    }),
  );
  const made = `docker import /root/busybox.tar busybox >/dev/null
docker network create -o com.docker.network.bridge.enable_icc=false apart >/dev/null; docker network create second >/dev/null
docker volume create -d local -o type=none -o o=bind -o device=/root bound >/dev/null
mkdir -p /srv/data /srv/shared && touch /srv/app.sock && mount --bind /srv/shared /srv/shared && mount --make-shared /srv/shared
printf '{ "defaultAction": "SCMP_ACT_ALLOW" }' >/root/open.json
docker run -d --name self busybox sleep 1d >/dev/null
${starts.join('\n')}
`;
  const { stderr } = spawnSync(lab, ['exec', HOST, 'sh', '-s'], { input: made, encoding: 'utf8' });
  console.log(stderr);
  const stdout = run(['exec', HOST, 'sh', '-s'], FACTS);
  const api = parseSections(stdout, 'audit').filter(({ name }) =>
    /^api 200 \S*\/(containers\/[0-9a-f]{64}\/json|volumes|networks)$/.test(name),
  );
  const kept = ({
    Id,
    Name,
    Image,
    State,
    HostConfig,
    Config,
    Mounts,
    NetworkSettings,
    AppArmorProfile,
    ProcessLabel,
  }) => ({
    ...{ Id, Name, Image, State, HostConfig, Config, Mounts, NetworkSettings, AppArmorProfile, ProcessLabel },
  });
  const entries = api.map(({ name, content }) => {
    const value = JSON.parse(content.toString());
    return `${JSON.stringify(name.replace(/^api 200 (http:\/\/docker)?/, ''))}: ${JSON.stringify(filled(name.includes('/containers/') ? kept(value) : value))}`;
  });
  writeFileSync(
    new URL('containers.json', here),
    `{\n${[`"made": ${JSON.stringify(madeContainers())}`, ...entries].join(',\n')}\n}\n`,
  );
  console.log(`recorded ${entries.length} answers`);
}

run(['up', HOST, '--suite', 'trixie', '--owner-pid', String(process.pid)]);
try {
  const [what] = process.argv.slice(2);
  if (what !== 'containers') recordHosts();
  if (what !== 'hosts') recordContainers();
} finally {
  run(['down', HOST]);
}
