/** The blocks of a little-endian pcapng file, read plainly, so that a test sees what a reader of packets steps over. */
export interface Block {
  readonly type: number;
  readonly body: Buffer;
}

export function blocksOf(file: Uint8Array): readonly Block[] {
  const bytes = Buffer.from(file);
  const blocks: Block[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    if (bytes.readUInt32LE(at + length - 4) !== length) throw new Error(`the two lengths at ${at} differ`);
    blocks.push({ type: bytes.readUInt32LE(at), body: bytes.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

/** Options by code, from `at` of a block's body. */
export function optionsOf(body: Buffer, at: number): ReadonlyMap<number, Buffer> {
  const options = new Map<number, Buffer>();
  while (at < body.length) {
    const [code, length] = [body.readUInt16LE(at), body.readUInt16LE(at + 2)];
    if (code === 0) return options;
    options.set(code, body.subarray(at + 4, at + 4 + length));
    at += 4 + ((length + 3) & ~3);
  }
  return options;
}

/** What the Interface Statistics of a file say, for each interface. */
export function statisticsOf(file: Uint8Array) {
  return blocksOf(file)
    .filter(({ type }) => type === 5)
    .map(({ body }) => {
      const options = optionsOf(body, 12);
      const number = (code: number) => Number(options.get(code)?.readBigUInt64LE(0));
      return {
        interfaceId: body.readUInt32LE(0),
        received: number(4),
        dropped: number(5),
        delivered: number(8),
        comment: options.get(1)?.toString(),
      };
    });
}
