import type { RandomSource } from '../../../../firmware/protocol/machine.ts';

/** The octets of hexadecimal text; spaces do not count. */
export function octets(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

/** Gives the octets it is told, draw for draw, and refuses any further or other draw. */
export function scriptedRandom(...draws: readonly Uint8Array[]): RandomSource {
  const left = [...draws];
  return {
    bytes(length) {
      const next = left.shift();
      if (next?.length !== length) throw new Error(`a draw of ${length} octets was not foreseen`);
      return next;
    },
  };
}
