/** The fleet file for editors and docs: its JSON Schema, and the tables of its keys. generate-schema.mjs writes both. */

import * as z from 'zod/mini';
import { caSchema, clientSchema, fleetSchema, hostSchema, sshMap } from './schema.ts';

/** The keys of each kind of map with their meaning and default, in Markdown: the tables of docs/lists/fleet-keys.md. */
export function keyTables(): Record<'ca' | 'host' | 'ssh' | 'client', string> {
  const table = ({ shape }: { readonly shape: Readonly<Record<string, z.ZodMiniType>> }) =>
    ['| key | value | default |', '|---|---|---|']
      .concat(
        Object.entries(shape).map(([key, schema]) => {
          const inner = schema instanceof z.ZodMiniOptional ? schema.def.innerType : schema;
          const [what, otherwise = ''] = (z.globalRegistry.get(inner)?.description ?? '').split('; default: ');
          return `| \`${key}\` | ${what} | ${otherwise} |`;
        }),
      )
      .join('\n');
  return { ca: table(caSchema), host: table(hostSchema), ssh: table(sshMap), client: table(clientSchema) };
}

/** JSON Schema (draft 7, which yaml-language-server reads) of the fleet file. */
export function fleetJsonSchema(): Record<string, unknown> {
  return { title: 'docker-tls fleet file', ...z.toJSONSchema(fleetSchema, { target: 'draft-7', io: 'input' }) };
}
