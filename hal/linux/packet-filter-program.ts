/** Programs of classic BPF for packet sockets (the kernel's Documentation/networking/filter.rst). Offsets count from the IP header. */
import { SOCK_FILTER, SOCK_FPROG } from './ffi/layout.ts';
import { addressOf } from './ffi/libc.ts';

/** Class, size and mode of an instruction in one number. */
const LOAD_OCTET = 0x30;
const LOAD_HALF = 0x28;
const LOAD_HALF_INDEXED = 0x48;
/** X becomes four times the low half of an octet: the length of an IPv4 header. */
const LOAD_HEADER_LENGTH = 0xb1;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_ANY_SET = 0x45;
const RETURN = 0x06;

/** Octets of a packet that are taken: all. */
const ALL = 0x4_0000;

type Instruction = readonly [code: number, operand: number, ifTrue?: number, ifFalse?: number];

/** UDP (protocol 17) over IPv4 to this port, fragments aside: only the first has the port, and nothing puts them together. */
export function udpPortProgram(port: number): readonly Instruction[] {
  return [
    [LOAD_OCTET, 9],
    [JUMP_IF_EQUAL, 17, 0, 6],
    [LOAD_HALF, 6],
    [JUMP_IF_ANY_SET, 0x3fff, 4, 0],
    [LOAD_HEADER_LENGTH, 0],
    [LOAD_HALF_INDEXED, 2],
    [JUMP_IF_EQUAL, port, 0, 1],
    [RETURN, ALL],
    [RETURN, 0],
  ];
}

/** A `struct sock_fprog` that is valid as long as both arrays are held. */
export function filterOption(program: readonly Instruction[]): {
  readonly option: Uint8Array;
  readonly held: Uint8Array;
} {
  const held = new Uint8Array(program.length * SOCK_FILTER.size);
  const instructions = new DataView(held.buffer);
  for (const [index, [code, operand, ifTrue = 0, ifFalse = 0]] of program.entries()) {
    const at = index * SOCK_FILTER.size;
    instructions.setUint16(at + SOCK_FILTER.code, code, true);
    instructions.setUint8(at + SOCK_FILTER.ifTrue, ifTrue);
    instructions.setUint8(at + SOCK_FILTER.ifFalse, ifFalse);
    instructions.setUint32(at + SOCK_FILTER.operand, operand, true);
  }
  const option = new Uint8Array(SOCK_FPROG.size);
  const view = new DataView(option.buffer);
  view.setUint16(SOCK_FPROG.count, program.length, true);
  view.setBigUint64(SOCK_FPROG.program, addressOf(held), true);
  return { option, held };
}
