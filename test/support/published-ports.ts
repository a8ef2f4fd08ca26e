/** Reachability of a container's published port: every common route, tried for real. */

import type { LabHost } from './lab.ts';

/** Routes to port 8081 of a host: true if the container answered. */
export type ReachedPort = Readonly<Record<string, boolean>>;

/** A web server `web`, published on 8081, a neighbour `peer` on its network, and `asker` on a separate network. Both networks are IPv4-only. */
export async function publishPort(host: LabHost): Promise<void> {
  await host.container('web', '-p 8081:80', 'httpd -f -h /etc');
  await host.container('peer');
  await host.must('docker network create other');
  await host.container('asker', '--network other');
  await rememberContainers(host);
}

/** A daemon that remaps users does not know existing containers: their processes are recorded first. */
async function rememberContainers(host: LabHost): Promise<void> {
  await host.exec(`docker inspect -f '{{.Name}} {{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' web peer asker 2>/dev/null |
    while read -r name pid address; do echo "$pid" >"/run/pid-$\{name#/}"; [ "$name" != /web ] || echo "$address" >/run/address-web; done`);
}

/** Tries every route, each for at most 8 seconds, or 20 on an emulated processor. */
export async function reachPort(host: LabHost, neighbour: LabHost): Promise<ReachedPort> {
  const { address, address6 } = host;
  const seconds = host.suite.endsWith('-vm') ? 20 : 8;
  await rememberContainers(host);
  // Some hosts lack an HTTP client; bash has /dev/tcp.
  const get = (to: string, port = 8081) =>
    `timeout ${seconds} bash -c 'exec 3<>/dev/tcp/${to}/${port} && printf "GET /hostname HTTP/1.0\\r\\n\\r\\n" >&3 && grep -q " 200 OK" <&3' 2>&1`;
  const from = async (on: LabHost, to: string): Promise<boolean> => (await on.exec(get(to))).exit === 0;
  const inside = async (container: string, request = get(address)): Promise<boolean> =>
    (await host.exec(`nsenter -n -t "$(cat /run/pid-${container})" ${request}`)).exit === 0;
  const ways: Readonly<Record<string, Promise<boolean>>> = {
    'another host, IPv4': from(neighbour, address),
    'another host, IPv6': from(neighbour, address6),
    'the host, 127.0.0.1': from(host, '127.0.0.1'),
    'the host, ::1': from(host, '::1'),
    'the host, its own address': from(host, address),
    'the container itself': inside('web'),
    'a container of the same network': inside('peer'),
    'a container of another network': inside('asker'),
    'a container of the same network, past the published port': inside(
      'peer',
      get(await host.must('cat /run/address-web'), 80),
    ),
  };
  return Object.fromEntries(
    await Promise.all(Object.entries(ways).map(async ([way, got]) => [way, await got] as const)),
  );
}

/** True for each of `peer` and `asker` if, with NET_ADMIN in its network, it reaches a listener on the host's 127.0.0.1. */
export async function reachLoopback(host: LabHost): Promise<readonly boolean[]> {
  await host.must('busybox httpd -p 127.0.0.1:9999 -h /etc 2>/dev/null || :');
  const reaches = async (container: string): Promise<boolean> => {
    const pid = await host.must(`docker inspect -f '{{.State.Pid}}' ${container}`);
    const script = `echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet; ip addr del 127.0.0.1/8 dev lo
      ip route flush table local 127.0.0.0/8; ip route replace 127.0.0.1 via $(ip route | sed -n "s/default via \\([0-9.]*\\).*/\\1/p") dev eth0
      exec 3<>/dev/tcp/127.0.0.1/9999 && printf "GET /hostname HTTP/1.0\\r\\n\\r\\n" >&3 && grep -q " 200 OK" <&3`;
    return (await host.exec(`nsenter -n -t ${pid} timeout 8 bash -c '${script}' 2>/dev/null`)).exit === 0;
  };
  return Promise.all(['peer', 'asker'].map(reaches));
}
