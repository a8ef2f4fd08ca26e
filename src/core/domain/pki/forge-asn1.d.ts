/** Types for node-forge's ASN.1, the only part that this directory loads (3 ms to import; all of forge takes 25). */
declare module 'node-forge/lib/asn1.js' {
  import type { asn1 } from 'node-forge';

  /** Adds the options of fromDer that @types/node-forge lacks. */
  type ForgeAsn1 = Omit<typeof asn1, 'fromDer' | 'create'> & {
    create(tagClass: number, type: number, constructed: boolean, value: string | asn1.Asn1[]): asn1.Asn1;
    fromDer(
      bytes: string,
      options: { strict: boolean; parseAllBytes: boolean; decodeBitStrings: boolean; maxDepth: number },
    ): asn1.Asn1;
  };
  const forgeAsn1: ForgeAsn1;
  // biome-ignore lint/style/noDefaultExport: this is how a CommonJS module looks to an import.
  export default forgeAsn1;
}
