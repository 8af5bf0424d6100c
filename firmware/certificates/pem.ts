/** The blocks of a PEM text (RFC 7468): base64 between lines that say what it is. */

/** Blocks in one text that are read. */
const MAX_BLOCKS = 64;

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----\s([\s\S]*?)-----END \1-----/g;

export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY` ... */
  readonly label: string;
  readonly der: Uint8Array;
  /** As it stands in the text. */
  readonly text: string;
  /** Encrypted in the old way, by lines above the base64 (RFC 1421); then `der` is not yet DER. */
  readonly encrypted: boolean;
}

/** What is between and around the blocks is passed over, as everybody does. */
export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  for (const [whole, label = '', body = ''] of text.matchAll(BLOCK)) {
    if (blocks.length >= MAX_BLOCKS) break;
    const encrypted = body.includes('ENCRYPTED');
    const base64 = body.replace(/^[A-Za-z-]+:.*$/gm, '').replace(/\s/g, '');
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) continue;
    blocks.push({ label, der: Uint8Array.from(Buffer.from(base64, 'base64')), text: `${whole}\n`, encrypted });
  }
  return blocks;
}

/** One block, lines of 64 characters. */
export function pemText(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
