/** Who reaches a container's published port: every way that people use, tried for real. */

import type { LabHost } from './lab.ts';

/** Ways to port 8081 of a host: true where the container answered. */
export type ReachedPort = Readonly<Record<string, boolean>>;

/** A web server `web`, published on 8081, and a container `asker` on a network of its own. Both networks have IPv4 alone. */
export async function publishPort(host: LabHost): Promise<void> {
  await host.container('web', '-p 8081:80', 'httpd -f -h /etc');
  await host.must('docker network create other');
  await host.container('asker', '--network other');
}

/** Tries every way, each for 3 seconds at most. */
export async function reachPort(host: LabHost, neighbour: LabHost): Promise<ReachedPort> {
  const { address, address6 } = host;
  // Not every host has a client for HTTP; bash has /dev/tcp.
  const from = async (on: LabHost, to: string): Promise<boolean> => {
    const get = `exec 3<>/dev/tcp/${to}/8081 && printf "GET /hostname HTTP/1.0\\r\\n\\r\\n" >&3 && grep -q " 200 OK" <&3`;
    return (await on.exec(`timeout 3 bash -c '${get}' 2>&1`)).exit === 0;
  };
  const inside = async (container: string): Promise<boolean> =>
    (await host.exec(`docker exec ${container} wget -q -T 3 -O /dev/null http://${address}:8081/hostname`)).exit === 0;
  const ways: Readonly<Record<string, Promise<boolean>>> = {
    'another host, IPv4': from(neighbour, address),
    'another host, IPv6': from(neighbour, address6),
    'the host, 127.0.0.1': from(host, '127.0.0.1'),
    'the host, ::1': from(host, '::1'),
    'the host, its own address': from(host, address),
    'the container itself': inside('web'),
    'a container of another network': inside('asker'),
  };
  return Object.fromEntries(
    await Promise.all(Object.entries(ways).map(async ([way, got]) => [way, await got] as const)),
  );
}
