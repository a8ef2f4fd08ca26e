import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { unpackBundle } from '../../../../src/features/bundles/adapters/bundle.ts';
import { unpackTar } from '../../../../src/features/bundles/adapters/unpack-tar.ts';
import { packTar } from '../../../../src/formats/tar.ts';

const name = fc.stringMatching(/^[a-z][a-z.-]{0,40}$/);
const tarFiles = fc.uniqueArray(
  fc.record({ name, data: fc.uint8Array({ maxLength: 1500 }), mode: fc.constantFrom(0o400, 0o444) }),
  {
    maxLength: 5,
    selector: (file) => file.name,
  },
);
const modified = fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true });

describe('tar', () => {
  it('gives back what was packed', () => {
    fc.assert(
      fc.property(tarFiles, modified, (files, time) => {
        const packed = packTar(
          files.map((file) => ({ ...file, data: Buffer.from(file.data) })),
          time,
        );
        const unpacked = unpackTar(packed, { names: files.map((file) => file.name), maxFileBytes: 2000 });
        expect(unpacked).toEqual(new Map(files.map((file) => [file.name, Buffer.from(file.data)])));
      }),
    );
  });

  it('never takes a name that is not allowed, and never throws, whatever one byte becomes', () => {
    const packed = packTar([{ name: 'ca.pem', data: Buffer.from('x'.repeat(600)), mode: 0o444 }], new Date(0));
    fc.assert(
      fc.property(fc.nat(packed.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const changed = Buffer.from(packed);
        changed[at] = byte;
        const unpacked = unpackTar(changed, { names: ['ca.pem'], maxFileBytes: 1000 });
        if (typeof unpacked !== 'string') expect([...unpacked.keys()]).toEqual(['ca.pem']);
      }),
      { numRuns: 500 },
    );
  });
});

describe('unpackBundle', () => {
  it('answers any bytes with a bundle error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        expect(() => unpackBundle(bytes)).toThrow(DockerTlsError);
      }),
    );
  });
});
