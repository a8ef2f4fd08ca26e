/** The form of the store's PEM files, checked without parsing a certificate. */

const CERTIFICATE = /-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----/g;
const PRIVATE_KEY =
  /^\s*(?:-----BEGIN EC PARAMETERS-----[^-]+-----END EC PARAMETERS-----\s+)?-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY)-----\r?\n[A-Za-z0-9+/=:,\- \r\n]+-----END \1-----\s*$/;

/** The certificates of a text that should contain one or more and nothing else, or its problem. */
export function certificateBlocks(text: string): readonly string[] | string {
  if (text.trim() === '') return 'is empty';
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) return 'holds no certificate in PEM';
  if (blocks.length !== text.split('-----BEGIN ').length - 1) return 'holds a truncated certificate or something else';
  return blocks;
}

/** The problem with a text that should be one private key in PEM, encrypted or not, or undefined. Does not try the key itself. */
export function keyProblem(text: string): string | undefined {
  if (text.trim() === '') return 'is empty';
  return PRIVATE_KEY.test(text) ? undefined : 'holds no private key in PEM';
}
