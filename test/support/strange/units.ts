/** Unusual units: variants of docker.service and docker.socket. */

import { braced, DROP_INS, execStart, put, RESTART, type StrangeCase, unit } from './case.ts';

/** systemd rereads its units once more by itself, moments after a change. */
const AFTER_SETUP = 'sleep 3; systemctl reset-failed docker.service';
const OWN = '/etc/systemd/system';

const DAEMON = '/usr/sbin/dockerd -H fd://';

export const UNITS: readonly StrangeCase[] = [
  { name: '`ExecStart=-/usr/sbin/dockerd` (failures are ignored)', make: execStart(`-${DAEMON}`) },
  {
    name: '`ExecStart=@/usr/sbin/dockerd docker` (another name)',
    make: execStart('@/usr/sbin/dockerd docker -H fd://'),
  },
  {
    name: '`ExecStart=/usr/bin/env NAME=value dockerd`',
    make: execStart('/usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin dockerd --host=fd:// $DOCKER_OPTS'),
    short: true,
  },
  {
    name: '`ExecStart=/usr/bin/env -i dockerd`',
    make: `${put(`${DROP_INS}/own.conf`, '[Service]\nExecStart=\nExecStart=/usr/bin/env -i dockerd -H fd://')}systemctl daemon-reload`,
    code: 'E_UNIT_COMMAND',
  },
  {
    name: "`ExecStart=/bin/sh -c 'exec dockerd …'`",
    make: execStart(`/bin/sh -c 'exec ${DAEMON}'`),
    code: 'E_UNIT_COMMAND',
  },
  {
    name: '`ExecStart=/usr/bin/nice dockerd`',
    make: execStart(`/usr/bin/nice -n 5 ${DAEMON}`),
    code: 'E_UNIT_COMMAND',
  },
  {
    name: 'ExecStart over several lines',
    make: execStart(`/usr/sbin/dockerd \\\n  -H fd:// \\\n# a comment\n  --label=a=b`),
  },
  { name: 'quoted words with blanks in ExecStart', make: execStart(`${DAEMON} "--label=a=b c" --label='d=e f'`) },
  { name: 'specifiers (`%H`) and `$$` in ExecStart', make: execStart(`${DAEMON} --label=host=%H --label=sum=$$5`) },
  {
    name: `\`${braced('VAR')}\` inside a word`,
    make: unit(
      `[Service]\nEnvironment=WHERE=/var/lib\nExecStart=\nExecStart=${DAEMON} --data-root=${braced('WHERE')}/docker`,
    ),
  },
  {
    name: 'ExecStartPre, ExecStartPost and ExecStopPost',
    make: unit('[Service]\nExecStartPre=/bin/true\nExecStartPost=/bin/true\nExecStopPost=/bin/true'),
  },
  { name: 'an emptied ExecReload', make: unit('[Service]\nExecReload=') },
  // systemd considers the daemon started before it answers, and before it survives a SIGHUP.
  ...['simple', 'exec', 'idle'].map((type) => ({
    name: `\`Type=${type}\``,
    make: unit(`[Service]\nType=${type}`),
    ...(type === 'exec' ? { short: true as const } : {}),
  })),
  {
    name: '`Type=exec`, no `-H fd://`, and docker.socket disabled',
    make: `systemctl disable --now docker.socket; ${unit('[Service]\nType=exec\nExecStart=\nExecStart=/usr/sbin/dockerd')}`,
    end: 'systemctl enable docker.socket',
  },
  ...['-DH fd://', '-DHfd://', '-ldebug -H=fd://'].map((flags) => ({
    name: `grouped flags: \`dockerd ${flags}\``,
    make: execStart(`/usr/sbin/dockerd ${flags}`),
  })),
  {
    name: 'the drop-in of docker-tls reverted after setup (`systemctl revert docker.service`), Docker restarted',
    make: ':',
    later: `${AFTER_SETUP}; systemctl revert docker.service; systemctl restart docker.service`,
    remark: 'connections to the port get no answer; `apply` restores it',
    short: true,
  },
  {
    name: 'the same with `"hosts"` in daemon.json',
    make: `${put('/etc/docker/daemon.json', '{ "hosts": ["unix:///var/run/docker.sock"] }')}${execStart('/usr/sbin/dockerd')}`,
    later: `${AFTER_SETUP}; rm ${DROP_INS}/*docker-tls.conf; ${RESTART}`,
    remark: 'the TLS settings are in daemon.json as well; `apply` restores it',
  },
  ...[
    ['`{ "hosts": ["fd://"] }`, and no -H', '/usr/sbin/dockerd', '{ "hosts": ["fd://"] }'],
    ['`{ "tls": false }`, and `-H fd://`', '/usr/sbin/dockerd -H fd://', '{ "tls": false }'],
  ].map(([name, line = '', text = '']) => ({
    name: `daemon.json put back after setup, Docker restarted: ${name}`,
    make: `${put('/etc/docker/daemon.json', text)}${execStart(line)}`,
    later: `${AFTER_SETUP}; ${put('/etc/docker/daemon.json', text)}systemctl restart docker.service || true`,
    remark: 'dockerd does not start without our TLS settings; `apply` restores them',
  })),
  {
    name: 'docker-tls.socket deleted and the drop-in edited after setup, no `systemctl daemon-reload`',
    make: ':',
    later: `${AFTER_SETUP}; rm ${OWN}/docker-tls.socket; echo '# mine' >>${DROP_INS}/zz-docker-tls.conf`,
    remark: '`apply` restores both',
  },
  {
    name: 'an sshd that stops with Docker (`BindsTo=docker.service` in ssh.service)',
    make: `${put(`${OWN}/ssh.service.d/own.conf`, '[Unit]\nBindsTo=docker.service\nAfter=docker.service')}systemctl daemon-reload`,
    short: true,
  },
  { name: '`Restart=no`', make: unit('[Service]\nRestart=no') },
  {
    name: 'one start in an hour (StartLimitBurst=1)',
    make: unit('[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=1'),
  },
  ...[
    '[Service]\nPrivateNetwork=yes',
    '[Service]\nTemporaryFileSystem=/etc/docker',
    '[Unit]\nConflicts=docker-tls.socket',
  ].map(
    (text): StrangeCase => ({
      name: `\`${text.replace(/^.*\n/, '')}\` in docker.service`,
      make: unit(text),
      code: 'E_UNIT_SETTING',
    }),
  ),
  {
    name: '`RefuseManualStop=yes`',
    make: `${put(`${DROP_INS}/own.conf`, '[Unit]\nRefuseManualStop=yes')}systemctl daemon-reload`,
    code: 'E_UNIT_NEEDS',
  },
  {
    name: '`RefuseManualStart=yes`',
    make: `${RESTART}; ${put(`${DROP_INS}/own.conf`, '[Unit]\nRefuseManualStart=yes')}systemctl daemon-reload`,
    code: 'E_UNIT_NEEDS',
  },
  {
    name: 'a condition that is no longer met (ConditionPathExists)',
    make: `${put(`${DROP_INS}/own.conf`, '[Unit]\nConditionPathExists=/no/such/path')}systemctl daemon-reload`,
    code: 'E_UNIT_NEEDS',
    short: true,
  },
  {
    name: 'an assertion that is no longer met (AssertPathExists)',
    make: `${put(`${DROP_INS}/own.conf`, '[Unit]\nAssertPathExists=/no/such/path')}systemctl daemon-reload`,
    code: 'E_UNIT_NEEDS',
  },
  {
    name: 'a required unit that does not exist',
    make: `${put(`${DROP_INS}/own.conf`, '[Unit]\nRequires=no-such.service')}systemctl daemon-reload`,
    code: 'E_UNIT_NEEDS',
  },
  {
    name: 'a required unit that is masked',
    make: `systemctl mask -q chrony-wait.service; ${put(`${DROP_INS}/own.conf`, '[Unit]\nRequires=chrony-wait.service')}systemctl daemon-reload`,
    code: 'E_UNIT_NEEDS',
  },
  {
    name: 'sandboxing (PrivateTmp, ProtectHome, UMask, Slice, MemoryMax)',
    make: unit('[Service]\nPrivateTmp=yes\nProtectHome=yes\nUMask=0077\nSlice=site.slice\nMemoryMax=2G'),
  },
  { name: 'output to nowhere (StandardOutput=null)', make: unit('[Service]\nStandardOutput=null\nStandardError=null') },
  {
    name: 'a drop-in whose name sorts after ours',
    make: unit(`[Service]\nExecStart=\nExecStart=${DAEMON} --label=late=yes`, 'zzz-late.conf'),
  },
  { name: 'a drop-in with a blank in its name', make: unit('[Service]\nNice=1', 'my own.conf') },
  {
    name: 'a drop-in of CRLF lines',
    make: `mkdir -p ${DROP_INS} && printf '[Service]\\r\\nNice=1\\r\\n' >${DROP_INS}/own.conf; ${RESTART}`,
  },
  {
    name: 'a drop-in that is not UTF-8',
    make: `mkdir -p ${DROP_INS} && printf '[Service]\\n# caf\\351\\nNice=1\\n' >${DROP_INS}/own.conf; ${RESTART}`,
  },
  {
    name: 'a drop-in for every service (service.d)',
    make: `${put('/etc/systemd/system/service.d/own.conf', '[Service]\nNice=1')}${RESTART}`,
  },
  {
    name: 'a drop-in that systemd has not read',
    make: `${put(`${DROP_INS}/own.conf`, '[Service]\nNice=1')}`,
    code: 'E_UNIT_UNREAD',
    short: true,
  },
  {
    name: 'a drop-in that is masked by a link to /dev/null',
    make: `mkdir -p ${DROP_INS} && ln -s /dev/null ${DROP_INS}/own.conf; ${RESTART}`,
  },
  {
    name: 'docker.service.d is a link',
    make: `mkdir -p /etc/site && ln -s /etc/site ${DROP_INS} && printf '[Service]\\nNice=1\\n' >/etc/site/own.conf; ${RESTART}`,
    end: 'rm -rf /etc/site',
  },
  {
    name: 'a whole docker.service in /etc/systemd/system',
    make: `cp /usr/lib/systemd/system/docker.service /etc/systemd/system/; ${RESTART}`,
  },
  {
    name: 'docker.service linked from /opt (`systemctl link`)',
    make: `mkdir -p /opt/site && cp /usr/lib/systemd/system/docker.service /opt/site/ && systemctl link /opt/site/docker.service; ${RESTART}`,
    end: 'rm -rf /opt/site',
  },
  {
    name: 'docker.service is masked',
    make: 'systemctl stop docker.service docker.socket; systemctl mask -q docker.service',
    code: 'E_DOCKER_MASKED',
  },
  {
    name: 'docker.service is masked until the next boot, and runs',
    make: 'systemctl mask -q --runtime docker.service',
    end: 'systemctl unmask -q --runtime docker.service',
    code: 'E_DOCKER_MASKED',
  },
  { name: 'docker.service is disabled', make: 'systemctl disable -q docker.service' },
  { name: 'docker.service is stopped and starts by its socket', make: 'systemctl stop docker.service 2>/dev/null' },
  {
    name: 'docker.service has failed',
    make: `systemctl stop docker.service docker.socket; ${put('/etc/docker/daemon.json', '{ "no-such": 1 }')}systemctl start docker.service; rm /etc/docker/daemon.json; sleep 0.2; systemctl stop docker.service; ${put(`${DROP_INS}/own.conf`, '[Service]\nRestart=no\nExecStartPre=/bin/false')}systemctl daemon-reload; systemctl start docker.service; true`,
    end: 'systemctl start docker.socket',
    code: 'E_DOCKER_DOWN',
  },
  {
    name: 'docker.socket has another mode and group',
    make: `${put('/etc/systemd/system/docker.socket.d/own.conf', '[Socket]\nSocketMode=0600\nSocketGroup=root')}systemctl daemon-reload; systemctl stop docker.service docker.socket; systemctl start docker.service`,
    end: 'systemctl stop docker.service docker.socket; systemctl daemon-reload; systemctl start docker.socket',
  },
  {
    name: 'docker.socket opens a second unix socket',
    make: `${put('/etc/systemd/system/docker.socket.d/own.conf', '[Socket]\nListenStream=/run/second.sock')}systemctl daemon-reload; systemctl stop docker.service docker.socket; systemctl start docker.service`,
    end: 'systemctl stop docker.service docker.socket; systemctl daemon-reload; systemctl start docker.socket; rm -f /run/second.sock',
  },
  {
    name: 'docker.socket opens a TCP port without TLS',
    make: `${put('/etc/systemd/system/docker.socket.d/own.conf', '[Socket]\nListenStream=127.0.0.1:2375')}systemctl daemon-reload; systemctl stop docker.service docker.socket; systemctl start docker.service`,
    end: 'systemctl stop docker.service docker.socket; systemctl daemon-reload; systemctl start docker.socket',
    says: /2375.* rejects connections without a certificate/,
    remove: ['--allow-plain-tcp'],
    remark: 'the plan says that the port asks for a certificate from then on',
  },
  {
    name: 'docker.socket is masked, and dockerd opens its socket itself',
    make: `systemctl stop docker.service docker.socket; systemctl mask -q docker.socket; sed 's/ docker.socket//; s/^Requires=.*//; s#-H fd://#-H unix:///run/docker.sock#' /usr/lib/systemd/system/docker.service >/etc/systemd/system/docker.service; ${RESTART}`,
    end: 'systemctl stop docker.service; rm -f /run/docker.sock',
    says: /opens its port itself/,
  },
  {
    name: 'dockerd without `-H fd://`',
    make: execStart('/usr/sbin/dockerd'),
    says: /opens its port itself/,
    remark: 'the port is closed for about a second at each restart; the plan says so',
  },
  {
    name: 'a plain TCP port by a flag',
    make: execStart(`${DAEMON} -H tcp://127.0.0.1:2375`),
    says: /tcp:\/\/127\.0\.0\.1:2375 is closed/,
    remove: ['--allow-plain-tcp'],
    remark: 'the port is closed; the plan says so',
  },
  {
    name: '`--config-file` in another directory',
    make: `${put('/etc/site/docker.json', '{ "debug": true }')}${execStart(`${DAEMON} --config-file=/etc/site/docker.json`)}`,
    end: 'rm -rf /etc/site',
  },
  {
    name: 'HTTP_PROXY in a drop-in',
    make: unit('[Service]\nEnvironment=HTTP_PROXY=http://192.0.2.1:3128 NO_PROXY=localhost'),
  },
  {
    name: 'drop-ins in /run and /usr/lib, one with our name',
    make: `${put('/run/systemd/system/docker.service.d/own.conf', '[Service]\nNice=1')}${put('/usr/lib/systemd/system/docker.service.d/zz-docker-tls.conf', '[Service]\nNice=2')}${RESTART}`,
    end: 'rm -rf /run/systemd/system/docker.service.d /usr/lib/systemd/system/docker.service.d',
  },
  {
    name: 'ExecStart is a script of another name',
    make: `printf '#!/bin/sh\nexec /usr/sbin/dockerd "$@"\n' >/usr/local/bin/start-docker; chmod 755 /usr/local/bin/start-docker; ${execStart('/usr/local/bin/start-docker -H fd://')}`,
    end: 'rm /usr/local/bin/start-docker',
    code: 'E_UNIT_COMMAND',
  },
  {
    name: 'limits (LimitNOFILE=1024, TasksMax=50, OOMScoreAdjust)',
    make: unit('[Service]\nLimitNOFILE=1024\nTasksMax=50\nOOMScoreAdjust=500'),
  },
  {
    name: '`ProtectSystem=strict`',
    make: unit('[Service]\nProtectSystem=strict\nReadWritePaths=/var/lib/docker /var/lib/containerd /run /etc/docker'),
  },
  {
    name: 'dockerd may not see /etc/docker (`InaccessiblePaths=`)',
    make: `mkdir -p /etc/docker; ${unit('[Service]\nInaccessiblePaths=/etc/docker')}`,
    code: 'E_UNIT_SETTING',
  },
  {
    name: 'dockerd has another /etc/docker (`TemporaryFileSystem=`)',
    make: `mkdir -p /etc/docker; ${unit('[Service]\nTemporaryFileSystem=/etc/docker')}`,
    code: 'E_UNIT_SETTING',
  },
  { name: 'a start and a stop may take five seconds', make: unit('[Service]\nTimeoutStartSec=5\nTimeoutStopSec=5') },
  {
    name: 'output to a file (StandardOutput=append:)',
    make: unit('[Service]\nStandardOutput=append:/var/log/dockerd.log\nStandardError=inherit'),
    end: 'rm -f /var/log/dockerd.log',
  },
  {
    name: '`User=root`, `Group=docker`, `SupplementaryGroups=`',
    make: unit('[Service]\nUser=root\nGroup=docker\nSupplementaryGroups=adm'),
  },
  {
    name: 'docker.socket listens elsewhere only',
    make: `${put('/etc/systemd/system/docker.socket.d/own.conf', '[Socket]\nListenStream=\nListenStream=/run/other.sock')}systemctl daemon-reload; systemctl stop docker.service docker.socket; systemctl start docker.service`,
    end: 'systemctl stop docker.service docker.socket; rm -f /run/other.sock; systemctl daemon-reload; systemctl start docker.socket',
  },
  {
    name: 'docker.service is an instance of a template',
    make: 'systemctl stop docker.service docker.socket; mv /usr/lib/systemd/system/docker.service /usr/lib/systemd/system/docker@.service; systemctl daemon-reload',
    end: 'mv /usr/lib/systemd/system/docker@.service /usr/lib/systemd/system/docker.service; systemctl daemon-reload; systemctl start docker.socket',
    remark: "Debian's init script then counts as docker.service",
    code: 'E_UNIT_COMMAND',
  },
];
