/** A `struct msghdr` with one buffer, room for a name and for control messages: what one recvmsg or sendmsg needs. */
import { CMSGHDR, IOVEC, MSGHDR } from './layout.ts';
import { addressOf } from './libc.ts';

/** Room for the name: the larger sockaddr, rounded up. */
const NAME_SIZE = 32;

/** Room for control messages, octets: packet information and an error report with its offender take 120. */
const CONTROL_SIZE = 256;

const VECTOR_AT = MSGHDR.size;
const NAME_AT = VECTOR_AT + IOVEC.size;
/** On a multiple of 8, as cmsg alignment demands: 56 + 16 + 32 is one. */
const CONTROL_AT = NAME_AT + NAME_SIZE;
const SIZE = CONTROL_AT + CONTROL_SIZE;

/** Called for each control message; `at` is where its data begins in {@link Message.view}, `length` its octets. */
export type ControlVisitor = (level: number, type: number, at: number, length: number) => void;

export class Message {
  /** The structure and all that its pointers lead to, except the payload. */
  readonly octets = new Uint8Array(new ArrayBuffer(SIZE));
  readonly view = new DataView(this.octets.buffer);
  /** Where a sockaddr begins. */
  readonly nameAt = NAME_AT;
  readonly name = this.octets.subarray(NAME_AT, NAME_AT + NAME_SIZE);
  readonly #controlAddress: bigint;
  /** Octets of the control messages for the next send. */
  #controlUsed = 0;

  constructor() {
    const base = addressOf(this.octets);
    this.#controlAddress = base + BigInt(CONTROL_AT);
    this.view.setBigUint64(MSGHDR.name, base + BigInt(NAME_AT), true);
    this.view.setBigUint64(MSGHDR.vectors, base + BigInt(VECTOR_AT), true);
    this.#setCount(MSGHDR.vectorCount, 1);
  }

  /** Points the vector at `payload` for the next call. The caller holds the payload until that has returned. */
  setPayload(payload: Uint8Array): void {
    this.view.setBigUint64(VECTOR_AT + IOVEC.base, addressOf(payload), true);
    this.#setCount(VECTOR_AT + IOVEC.length, payload.byteLength);
  }

  /** No payload at all: whatever comes is cut off. */
  clearPayload(): void {
    this.#setCount(VECTOR_AT + IOVEC.length, 0);
    this.view.setBigUint64(VECTOR_AT + IOVEC.base, 0n, true);
  }

  /** Gives the kernel all the room for a name and for control messages: before each receive, which overwrites both. */
  offerRoom(): void {
    this.view.setUint32(MSGHDR.nameLength, NAME_SIZE, true);
    this.view.setBigUint64(MSGHDR.control, this.#controlAddress, true);
    this.#setCount(MSGHDR.controlLength, CONTROL_SIZE);
    this.view.setInt32(MSGHDR.flags, 0, true);
  }

  /** Octets of the sockaddr in {@link name} that the next send uses. */
  setNameLength(length: number): void {
    if (length > NAME_SIZE) throw new RangeError(`a name of ${length} octets does not fit`);
    this.view.setUint32(MSGHDR.nameLength, length, true);
  }

  get nameLength(): number {
    return this.view.getUint32(MSGHDR.nameLength, true);
  }

  get flags(): number {
    return this.view.getInt32(MSGHDR.flags, true);
  }

  /** One more control message of `length` data octets for the next send, zeroed. @returns where its data begins. */
  addControl(level: number, type: number, length: number): number {
    const at = CONTROL_AT + this.#controlUsed;
    const total = CMSGHDR.data + aligned(length);
    const used = this.#controlUsed + total;
    if (used > CONTROL_SIZE) throw new RangeError(`control data of ${length} octets does not fit`);
    this.#controlUsed = used;
    this.octets.fill(0, at, at + total);
    this.#setCount(at + CMSGHDR.length, CMSGHDR.data + length);
    this.view.setInt32(at + CMSGHDR.level, level, true);
    this.view.setInt32(at + CMSGHDR.type, type, true);
    this.view.setBigUint64(MSGHDR.control, this.#controlAddress, true);
    this.#setCount(MSGHDR.controlLength, used);
    return at + CMSGHDR.data;
  }

  clearControl(): void {
    this.#controlUsed = 0;
    this.view.setBigUint64(MSGHDR.control, 0n, true);
    this.#setCount(MSGHDR.controlLength, 0);
  }

  /** Walks through the control messages that the last receive left (cmsg(3)). */
  eachControl(visit: ControlVisitor): void {
    const end = CONTROL_AT + Math.min(this.#count(MSGHDR.controlLength), CONTROL_SIZE);
    let at = CONTROL_AT;
    while (at + CMSGHDR.size <= end) {
      const length = this.#count(at + CMSGHDR.length);
      if (length < CMSGHDR.data || at + length > end) return;
      const level = this.view.getInt32(at + CMSGHDR.level, true);
      const type = this.view.getInt32(at + CMSGHDR.type, true);
      visit(level, type, at + CMSGHDR.data, length - CMSGHDR.data);
      at += aligned(length);
    }
  }

  /** A size_t. All of ours are small: the upper half is zero. */
  #setCount(at: number, value: number): void {
    this.view.setUint32(at, value, true);
    this.view.setUint32(at + 4, 0, true);
  }

  #count(at: number): number {
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 0x1_0000_0000;
  }
}

function aligned(length: number): number {
  return (length + CMSGHDR.alignment - 1) & -CMSGHDR.alignment;
}
