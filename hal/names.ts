/** Names that the kernel's tools take unquoted, and that can never be taken for an option or a word of their language. */
import { HalError } from './hal-error.ts';

/** Longest name of a network interface, octets (IFNAMSIZ less the terminating zero). */
const MAX_INTERFACE_NAME = 15;

const INTERFACE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]*$/;

/** @throws HalError when `name` cannot be the name of a network interface. */
export function assertInterfaceName(name: string): void {
  if (name.length <= MAX_INTERFACE_NAME && INTERFACE_NAME.test(name)) return;
  throw new HalError(
    `${JSON.stringify(name)} cannot name a network interface: it needs 1 to ${MAX_INTERFACE_NAME} letters, digits ` +
      'or _ . @ + -, and must begin with a letter, a digit or _.',
    'EINVAL',
  );
}

/** What nft takes as an identifier; the length is far below the kernel's limit. */
const TABLE_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

/** @throws HalError when `name` cannot be the name of a packet filter table. */
export function assertTableName(name: string): void {
  if (TABLE_NAME.test(name)) return;
  throw new HalError(
    `${JSON.stringify(name)} cannot name a packet filter table: use up to 64 letters, digits, _ and -, a letter first.`,
    'EINVAL',
  );
}
