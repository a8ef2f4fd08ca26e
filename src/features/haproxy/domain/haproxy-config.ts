/** stub */
import type { Role } from './roles.ts';
export function renderConfig(input: {
  binds: number;
  engineSocket: string;
  user?: { user: string; group: string };
  clients: readonly { name: string; role: string; by: 'issuer' | 'subject' }[];
  ownCas: readonly string[];
  roles: readonly Role[];
  others?: { role?: string | undefined };
  sockets: readonly [];
  cli: string;
}): { config: string; clients: string } {
  const config = [
    '# Written by docker-tls.',
    'global',
    ...(input.user ? [`  user ${input.user.user}`, `  group ${input.user.group}`] : []),
    '  log stdout format raw local0',
    `  stats socket ${input.cli} mode 600 level admin expose-fd listeners`,
    '  tune.ssl.cachesize 0',
    '  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets',
    'defaults',
    '  log global',
    '  timeout connect 10s',
    '  timeout client 1h',
    '  timeout server 1h',
    'frontend docker',
    '  mode tcp',
    '  option tcplog',
    ...Array.from(
      { length: input.binds },
      (_, i) =>
        `  bind "\${LISTEN${i + 3}}" ssl crt "\${TLS}/server-cert.pem" ca-file "\${TLS}/ca-trusted.pem" verify required alpn http/1.1`,
    ),
    '  default_backend raw',
    'backend raw',
    '  mode tcp',
    `  server dockerd unix@${input.engineSocket}`,
    '',
  ].join('\n');
  return {
    config,
    clients: [
      '# Written by docker-tls.',
      ...input.clients.map(({ name, role }) => `client\\ ${name} ${role}`),
      '',
    ].join('\n'),
  };
}
