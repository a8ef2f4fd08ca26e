/** PEM (RFC 7468): base64 blocks between BEGIN and END lines, in text that may contain other content. */

import { DockerTlsError } from '../../../errors/errors.ts';

export type PemBlock = {
  /** For instance `CERTIFICATE`. */
  readonly label: string;
  /** Lines like `DEK-Info: …` of the old encrypted form (RFC 1421); empty for all other blocks. */
  readonly headers: string;
  /** undefined: the base64 is damaged. */
  readonly der: Buffer | undefined;
  /** The block as found in the text. */
  readonly text: string;
};

export function pemEncode(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** All blocks of the text, in order. `torn`: a BEGIN line lacks its END line (a truncated file). */
export function pemBlocks(text: string): { readonly blocks: readonly PemBlock[]; readonly torn: boolean } {
  const blocks: PemBlock[] = [];
  for (const match of text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*(?:-(?!----)[^-]*)*)-----END \1-----/g)) {
    const inner = (match[2] ?? '').replace(/\r\n?/g, '\n');
    const headerEnd = /^\n?[A-Za-z-]+: /.test(inner) ? inner.indexOf('\n\n') : -1;
    const base64 = inner.slice(headerEnd + 1).replace(/\s+/g, '');
    const sound = base64.length > 0 && base64.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(base64);
    blocks.push({
      label: match[1] ?? '',
      headers: headerEnd < 0 ? '' : inner.slice(0, headerEnd).trim(),
      der: sound ? Buffer.from(base64, 'base64') : undefined,
      text: match[0],
    });
  }
  const begun = text.match(/-----BEGIN [A-Z0-9 ]{1,40}-----/g)?.length ?? 0;
  return { blocks, torn: begun !== blocks.length };
}

/** All certificates of a PEM text, in order, each as normalized PEM; empty if there are none. Throws E_CERT_DAMAGED for a damaged one. */
export function splitBundle(pem: string): string[] {
  const { blocks, torn } = pemBlocks(pem);
  if (torn) throw certDamaged('a BEGIN line has no END line');
  return blocks
    .filter(({ label }) => /^(?:X509 )?CERTIFICATE$/.test(label))
    .map(({ der }) => {
      if (der === undefined) throw certDamaged('its base64 is torn');
      return pemEncode('CERTIFICATE', der);
    });
}

/** Raw certificate blocks with any content, for text that may come from a host. */
export function certificateTexts(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** Bytes of a block, which is not checked. */
export function derOf(block: string): Buffer {
  return Buffer.from(block.replace(/-----[A-Z ]+-----/g, ''), 'base64');
}

export function certDamaged(why: string, cause?: unknown): DockerTlsError {
  return new DockerTlsError('E_CERT_DAMAGED', `the certificate cannot be read: ${why}`, {
    hints: ['look at it with: openssl x509 -noout -text -in FILE'],
    cause,
  });
}
