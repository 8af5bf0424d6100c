/** Numbers of the pcapng format (draft-ietf-opsawg-pcapng): what reading and writing it share. */

/** Block types. That of a section header reads the same in either byte order. */
export const BLOCK = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  packet: 2,
  simplePacket: 3,
  interfaceStatistics: 5,
  enhancedPacket: 6,
} as const;

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** Options of an Interface Description. */
export const INTERFACE_OPTION = {
  name: 2,
  description: 3,
  timestampResolution: 9,
  timestampOffset: 14,
} as const;
