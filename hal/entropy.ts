/** Random octets fit for keys. */
export interface Entropy {
  /** `length` octets, 0..65536. */
  bytes(length: number): Uint8Array;
}
