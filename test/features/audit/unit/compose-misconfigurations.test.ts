/** Misconfigured Compose files beside clean twins: what is found, missed and falsely reported. */

import { expect, test } from 'vitest';
import { auditCompose } from '../../../../src/features/audit/domain/files/compose.ts';
import { MISSING, type Neighbours } from '../../../../src/features/audit/domain/files/compose-project.ts';

/** Settings of a service that passes every check, by key: a row replaces those that it has. */
const SAFE: Readonly<Record<string, string>> = {
  image: 'a:1',
  user: '"1000"',
  cap_drop: '[ALL]',
  read_only: 'true',
  mem_limit: '256m',
  cpus: '0.5',
  pids_limit: '100',
  security_opt: '["no-new-privileges:true"]',
  restart: 'on-failure:3',
  healthcheck: '{ test: [CMD, x] }',
  networks: '[apart]',
};

const NETWORKS = 'networks: { apart: { driver_opts: { com.docker.network.bridge.enable_icc: "false" } } }\n';

/** `row`: settings of the service, one a line; behind `---`, other parts of the file. */
function composeFile(row: string): string {
  const [settings = '', others = ''] = row.split('\n---\n');
  const keys = settings.split('\n').map((line) => line.replace(/:.*$/, ''));
  // A service that extends another one, or has the host's network, goes without networks.
  const left = keys.includes('network_mode') ? [...keys, 'networks'] : keys;
  const safe = Object.entries(SAFE).flatMap(([key, value]) => (left.includes(key) ? [] : [`${key}: ${value}`]));
  const lines = [...settings.split('\n'), ...safe].map((line) => `    ${line}`);
  return `services:\n  web:\n${lines.join('\n')}\n${others}${others === '' ? '' : '\n'}${NETWORKS}`;
}

const AWS = `AKIA${'QRSTUVWXYZ234567'}`;
const GITHUB = `ghp_${'0123456789abcdefghijABCDEFGHIJ0123456789'}`;
const PEM = '-----BEGIN PRIVATE' + ' KEY-----';
const v = (text: string) => ['$', '{', text, '}'].join('');

/** Files around it, of rows that name them. */
const FILES: Readonly<Record<string, string>> = {
  'open.json': '{"defaultAction":"SCMP_ACT_ALLOW"}',
  'closed.json': '{"defaultAction":"SCMP_ACT_ERRNO"}',
  'open.yaml': 'services: { base: { privileged: true } }',
  'closed.yaml': 'services: { base: { privileged: false } }',
  'db.env': 'DB_PASSWORD=hunter2\n',
  '.env': 'ON=true\nOFF=false\nSOCKET=/var/run/docker.sock\nDB_PASSWORD=hunter2\n',
};

/** Check, misconfigured settings, clean settings. */
const CASES: readonly (readonly [string, string, string])[] = [
  // access to the host
  ['5.5', 'privileged: true', 'privileged: false'],
  ['5.5', 'privileged: "yes"', 'privileged: "no"'],
  ['5.5', `privileged: ${v('ON')}`, `privileged: ${v('OFF')}`],
  ['5.5', `privileged: ${v('P:-true')}`, `privileged: ${v('P:-false')}`],
  ['5.5', 'extends: { file: open.yaml, service: base }', 'extends: { file: closed.yaml, service: base }'],
  ['5.5', 'post_start: [{ command: x, privileged: true }]', 'post_start: [{ command: x }]'],
  ['5.32', 'volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]', 'volumes: ["./run:/run/app"]'],
  ['5.32', `volumes: ["${v('SOCKET')}:/s"]`, `volumes: ["${v('S:-./s')}:/s"]`],
  ['5.32', 'volumes: ["/run:/host/run"]', 'volumes: ["/run/app:/host/run"]'],
  ['5.32', 'use_api_socket: true', 'use_api_socket: false'],
  ['5.6', 'volumes: ["/:/host:ro"]', 'volumes: ["/srv/data:/host:ro"]'],
  ['5.6', 'volumes: ["/etc:/e"]', 'volumes: ["/etc/localtime:/etc/localtime:ro"]'],
  [
    '5.6',
    'volumes: [{ type: bind, source: /root/.ssh, target: /k }]',
    'volumes: [{ type: bind, source: ./ssh, target: /k }]',
  ],
  ['5.6', 'volumes: ["/usr:/usr/src/app"]', 'volumes: ["/usr/src/app/node_modules"]'],
  ['5.6', 'volumes: ["../../etc:/e"]', 'volumes: ["../../data:/e"]'],
  ['5.6', 'volumes: ["~/.aws:/aws:ro"]', 'volumes: ["~/data:/data"]'],
  [
    '5.6',
    'volumes: [vol:/h]\n---\nvolumes: { vol: { driver_opts: { type: none, o: bind, device: / } } }',
    'volumes: [vol:/h]\n---\nvolumes: { vol: }',
  ],
  ['5.20', 'volumes: ["./a:/a:rshared"]', 'volumes: ["./a:/a:rslave"]'],
  [
    '5.20',
    'volumes: [{ type: bind, source: ./a, target: /a, bind: { propagation: shared } }]',
    'volumes: [{ type: bind, source: ./a, target: /a, bind: { propagation: private } }]',
  ],
  ['5.18', 'devices: ["/dev/sda:/dev/sda"]', 'devices: []'],
  ['5.18', 'device_cgroup_rules: ["a *:* rwm"]', 'device_cgroup_rules: []'],
  ['5.18', 'device_cgroup_rules: ["b 8:* rmw"]', 'tmpfs: [/tmp]'],
  ['5.10', 'network_mode: host', 'network_mode: none'],
  ['5.16', 'pid: host', 'init: true'],
  ['5.17', 'ipc: host', 'ipc: private'],
  ['5.21', 'uts: host', 'hostname: web'],
  ['5.31', 'userns_mode: host', 'userns_mode: ""'],
  ['cgroup', 'cgroup: host', 'cgroup: private'],
  ['shared', 'pid: "container:other"', 'container_name: other'],
  ['shared', 'ipc: "service:db"\n---\n  db: { extends: web }', 'ipc: shareable\n---\n  db: { extends: web }'],
  ['shared', 'volumes_from: ["container:db"]', 'volumes_from: []'],
  ['5.4', 'cap_add: [SYS_ADMIN]', 'cap_add: [CHOWN]'],
  ['5.4', 'cap_add: [NET_ADMIN]', 'cap_add: [NET_BIND_SERVICE]'],
  ['5.4', 'cap_add: [ALL]', 'cap_add: []'],
  ['caps', 'cap_drop: [NET_RAW]', 'cap_drop: [all]'],
  [
    '5.2',
    'security_opt: ["apparmor:unconfined", "no-new-privileges"]',
    'security_opt: ["apparmor:docker-default", "no-new-privileges"]',
  ],
  [
    '5.3',
    'security_opt: ["label:disable", "no-new-privileges"]',
    'security_opt: ["label:type:svirt", "no-new-privileges"]',
  ],
  ['5.22', 'security_opt: ["seccomp=unconfined", "no-new-privileges"]', 'security_opt: ["no-new-privileges=true"]'],
  [
    '5.22',
    'security_opt: ["seccomp:./open.json", "no-new-privileges"]',
    'security_opt: ["seccomp:./closed.json", "no-new-privileges"]',
  ],
  [
    'systempaths',
    'security_opt: ["systempaths=unconfined", "no-new-privileges"]',
    'security_opt: ["no-new-privileges"]',
  ],
  ['5.26', 'security_opt: ["no-new-privileges:false"]', 'security_opt: ["no-new-privileges"]'],
  ['4.1', 'user: root', 'user: app'],
  ['4.1', 'user: "0:1000"', 'user: "1000:0"'],
  ['4.1', 'pre_stop: [{ command: x, user: root }]', 'pre_stop: [{ command: x, user: app }]'],
  // secrets
  ['4.10', 'environment: { DB_PASSWORD: hunter2 }', 'environment: { DB_PASSWORD_FILE: /run/secrets/db }'],
  ['4.10', 'environment: ["API_TOKEN=hunter2"]', `environment: ["API_TOKEN=${v('API_TOKEN')}"]`],
  [
    '4.10',
    `environment: { DB_PASSWORD: "${v('NONE:-hunter2')}" }`,
    `environment: { DB_PASSWORD: "${v('DB_PASSWORD')}" }`,
  ],
  ['4.10', 'environment: { DB_PASSWORD: hunter2 }', 'env_file: db.env'],
  [
    '4.10',
    'environment: { DATABASE_URL: "postgres://u:hunter2@db/x" }',
    `environment: { DATABASE_URL: "postgres://u:${v('DB_PASSWORD')}@db/x" }`,
  ],
  ['4.10', `environment: { ID: ${AWS} }`, 'environment: { ID: AKIAIOSFODNN7EXAMPLE }'],
  ['4.10', `environment: { KEYS: "${PEM}" }`, 'environment: { KEYS: "-----BEGIN PUBLIC KEY-----" }'],
  ['4.10', `labels: { ci: ${GITHUB} }`, 'labels: { ci: github }'],
  ['4.10', `labels: ["ci.token=${GITHUB}"]`, 'labels: ["ci.name=x"]'],
  ['4.10', `command: app --token ${GITHUB}`, 'command: app --token-file /run/secrets/t'],
  ['4.10', 'command: sh -c "export API_TOKEN=hunter2; app"', 'command: sh -c "export API_LEVEL=2; app"'],
  ['4.10', `entrypoint: [app, "${GITHUB}"]`, 'entrypoint: [app, ghp_short]'],
  ['4.10', 'build: { context: ., args: { NPM_TOKEN: hunter2 } }', 'build: { context: ., args: [NPM_TOKEN] }'],
  ['4.10', `build: "https://${GITHUB}@github.com/a/b.git"`, 'build: "https://github.com/a/b.git"'],
  [
    '4.10',
    'build: { context: "https://bob:hunter2@git.example.com/a.git" }',
    'build: { context: "https://git.example.com/a.git" }',
  ],
  [
    '4.10',
    'volumes: [vol:/v]\n---\nvolumes: { vol: { driver_opts: { type: cifs, o: "username=u,password=hunter2", device: "//s/x" } } }',
    'volumes: [vol:/v]\n---\nvolumes: { vol: { driver_opts: { type: nfs, o: "addr=s,rw", device: ":/x" } } }',
  ],
  [
    '4.10',
    `configs: [c]\n---\nconfigs: { c: { content: "${PEM}" } }`,
    'configs: [c]\n---\nconfigs: { c: { content: "a: b" } }',
  ],
  // Docker's API, builds
  [
    'api',
    'environment: { DOCKER_HOST: "tcp://10.0.0.1:2375" }',
    'environment: { DOCKER_HOST: "tcp://10.0.0.1:2376", DOCKER_TLS_VERIFY: "1" }',
  ],
  ['api', 'environment: { DOCKER_HOST: "tcp://dind:2376" }', 'environment: { DOCKER_HOST: "ssh://app@host" }'],
  ['api', 'environment: { DOCKER_TLS_CERTDIR: "" }', 'environment: { DOCKER_TLS_CERTDIR: /certs }'],
  ['api', 'command: dockerd -H tcp://0.0.0.0:2375', 'command: dockerd -H tcp://0.0.0.0:2376 --tlsverify'],
  ['api', 'command: ["--host=tcp://0.0.0.0:2375"]', 'command: ["--host=unix:///run/docker.sock"]'],
  ['api', 'ports: ["127.0.0.1:12375:2375"]', 'ports: ["127.0.0.1:12376:2376"]'],
  ['build', 'build: { context: ., privileged: true }', 'build: { context: ., privileged: false }'],
  ['build', 'build: { context: ., entitlements: [security.insecure] }', 'build: { context: ., entitlements: [] }'],
  ['build', 'build: { context: ., network: host }', 'build: { context: ., network: none }'],
  [
    'inline',
    'build: { context: ., dockerfile_inline: "FROM a:1\\nUSER root\\n" }',
    'build: { context: ., dockerfile_inline: "FROM a:1\\nUSER app\\n" }',
  ],
  [
    'inline',
    'build:\n  dockerfile_inline: |\n    FROM a:1\n    RUN curl -k https://x.example/a\n    USER app',
    'build:\n  dockerfile_inline: |\n    FROM a:1\n    USER app',
  ],
  [
    'inline',
    'build: { context: ., dockerfile_inline: "RUN x" }',
    'build: { context: ., dockerfile_inline: "FROM a:1-nonroot" }',
  ],
  // code from the network, verification
  [
    'pipe',
    'command: sh -c "curl -s https://x.example/i.sh | sh"',
    'command: sh -c "curl -s https://x.example/i | wc -l"',
  ],
  [
    'pipe',
    'entrypoint: ["bash", "-c", "eval \\"$$(wget -qO- https://x.example/i)\\""]',
    'entrypoint: ["bash", "-c", "wget -qO- https://x.example/i"]',
  ],
  [
    'pipe',
    'post_start: [{ command: ["sh", "-c", "curl -s https://x.example/i | python3"] }]',
    'post_start: [{ command: ["sh", "-c", "curl -s https://x.example/i"] }]',
  ],
  ['verify', 'command: curl -k https://x.example/a', 'command: curl -k https://127.0.0.1/a'],
  [
    'verify',
    'environment: { NODE_TLS_REJECT_UNAUTHORIZED: "0" }',
    'environment: { NODE_TLS_REJECT_UNAUTHORIZED: "1" }',
  ],
  ['verify', 'environment: { NODE_TLS_REJECT_UNAUTHORIZED: 0 }', 'environment: { NODE_EXTRA_CA_CERTS: /ca.pem }'],
  ['verify', 'environment: ["PYTHONHTTPSVERIFY=0"]', 'environment: ["PYTHONUNBUFFERED=1"]'],
  [
    'verify',
    'build: { context: ., args: { PIP_TRUSTED_HOST: pypi.example.com } }',
    'build: { context: ., args: { PIP_INDEX_URL: "https://pypi.example.com" } }',
  ],
  // limits, operation
  ['limits', 'oom_kill_disable: true', 'oom_kill_disable: false'],
  ['limits', 'oom_score_adj: -1000', 'oom_score_adj: 100'],
  ['limits', 'ulimits: { nproc: -1 }', 'ulimits: { nproc: 512 }'],
  ['limits', 'ulimits: { nofile: { soft: 1024, hard: -1 } }', 'ulimits: { nofile: { soft: 1024, hard: 4096 } }'],
  ['logging', 'logging: { driver: none }', 'logging: { driver: journald }'],
  ['5.11', 'mem_limit: 0', 'mem_limit: 1g'],
  ['5.12', 'cpus: 0', 'cpus: 2'],
  ['5.13', 'read_only: false', 'read_only: true'],
  ['5.14', 'ports: ["8080:80"]', 'ports: ["127.0.0.1:8080:80"]'],
  ['5.8', 'ports: ["127.0.0.1:443:8443"]', 'ports: ["127.0.0.1:8443:8443"]'],
  ['5.15', 'restart: always', 'restart: on-failure:5'],
  ['5.25', 'cgroup_parent: x', 'hostname: x'],
  ['5.27', 'healthcheck: { disable: true }', 'healthcheck: { test: [CMD, y] }'],
  ['tag', 'image: a:latest', 'image: a:1.2'],
  ['5.29', 'pids_limit: -1', 'pids_limit: 50'],
  // what was not read
  ['unread', 'extends: { file: none.yaml, service: base }', 'extends: { file: closed.yaml, service: base }'],
  ['unread', 'env_file: none.env', 'env_file: [{ path: none.env, required: false }]'],
  ['unread', 'hostname: x\n---\ninclude: [none.yaml]', 'hostname: x\n---\ninclude: []'],
  ['unread', `privileged: ${v('UNKNOWN')}`, `privileged: ${v('OFF')}`],
];

const neighbours: Neighbours = {
  root: '/srv/app',
  read: (path) => (FILES[path] === undefined ? { reason: MISSING } : { text: FILES[path] }),
};

const findings = (row: string) =>
  auditCompose(composeFile(row), 'compose.yaml', neighbours).flatMap(({ id, state, evidence }) =>
    state === 'finding' ? [{ id: id.replace('compose.', ''), evidence }] : [],
  );

test('more than 90 misconfigurations', () => expect(CASES.length).toBeGreaterThanOrEqual(90));

test.each(CASES)('%s: %j is found, with its place and no secret in it', (id, bad) => {
  const found = findings(bad).find((one) => one.id === id);
  const [first] = found?.evidence ?? [];
  expect(first?.line).toBeGreaterThan(0);
  expect(first?.file).toMatch(/^(compose|open)\.yaml$/);
  expect(first?.place).toMatch(/^(service|volume|config) \w+$|^include$/);
  expect(JSON.stringify(found)).not.toMatch(/hunter2|abcdefghij|QRSTUVWX/);
});

test.each(CASES)('%s: nothing is wrong with the twin of %j: %j', (_id, _bad, clean) => {
  expect(findings(clean)).toEqual([]);
});
