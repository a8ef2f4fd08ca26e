/** No text can crash or hang the parsers of inventories. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shellWords } from '../../../../src/core/domain/quote.ts';
import { DockerTlsErrors } from '../../../../src/errors/errors.ts';
import { chosenSpecs, parseInventory } from '../../../../src/features/fleet/domain/inventory.ts';
import { parseSshArguments } from '../../../../src/features/fleet/domain/inventory-ssh.ts';

describe('no text crashes the parsers', () => {
  test('inventories of any kind', () => {
    const values = fc.dictionary(
      fc.constantFrom(
        'ansible_host',
        'ansible_port',
        'ansible_user',
        'ansible_connection',
        'ansible_ssh_common_args',
        'docker_tls_ssh',
        'docker_tls_sans',
        'docker_tls_port',
        'docker_tls___proto__',
        'docker_tls_x',
      ),
      fc.jsonValue(),
    );
    const inventory = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.dictionary(fc.string(), values).map((hostvars) => JSON.stringify({ _meta: { hostvars } })),
    );
    fc.assert(
      fc.property(inventory, (text) => {
        try {
          chosenSpecs(parseInventory(text));
        } catch (error) {
          if (!(error instanceof DockerTlsErrors)) throw error;
          for (const one of error.errors) expect(one.code).toBe('E_INVENTORY');
        }
      }),
      { numRuns: 400 },
    );
  });

  test('ssh arguments of any kind', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseSshArguments(text)));
    fc.assert(
      fc.property(fc.array(fc.string().filter((word) => !word.includes('\u0000'))), (words) => {
        const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
        expect(shellWords(quoted)).toEqual(words);
      }),
    );
  });
});
