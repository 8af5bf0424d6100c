/**
 * The C structures that go through system calls, laid out for LP64 little endian: sizes and offsets in octets.
 * Fields are in host order unless the comment says network order.
 */

/** `struct sockaddr_in` (ip(7)). */
export const SOCKADDR_IN = {
  size: 16,
  family: 0, // u16
  port: 2, // u16, network order
  address: 4, // 4 octets
} as const;

/** `struct sockaddr_in6` (ipv6(7)). */
export const SOCKADDR_IN6 = {
  size: 28,
  family: 0, // u16
  port: 2, // u16, network order
  flowInfo: 4, // u32, network order
  address: 8, // 16 octets
  scopeId: 24, // u32
} as const;

/** `struct sockaddr_ll` (packet(7)). */
export const SOCKADDR_LL = {
  size: 20,
  family: 0, // u16
  protocol: 2, // u16, network order
  interfaceIndex: 4, // i32
  hardwareType: 8, // u16
  packetType: 10, // u8
  addressLength: 11, // u8
  address: 12, // 8 octets, of which an Ethernet address takes the first 6
} as const;

/** `struct sock_fprog` (linux/filter.h). */
export const SOCK_FPROG = {
  size: 16,
  count: 0, // u16 instructions, then 6 octets of padding
  program: 8, // pointer
} as const;

/** `struct sock_filter` (linux/filter.h). */
export const SOCK_FILTER = {
  size: 8,
  code: 0, // u16
  ifTrue: 2, // u8
  ifFalse: 3, // u8
  operand: 4, // u32
} as const;

/** `struct tpacket_stats` (linux/if_packet.h). */
export const TPACKET_STATS = {
  size: 8,
  packets: 0, // u32, drops included
  drops: 4, // u32
} as const;

/** `struct tpacket_auxdata` (linux/if_packet.h). */
export const TPACKET_AUXDATA = {
  size: 20,
  status: 0, // u32
  vlanTag: 16, // u16
  vlanType: 18, // u16
} as const;

/** `struct timespec`. */
export const TIMESPEC = {
  size: 16,
  seconds: 0, // i64
  nanoseconds: 8, // i64
} as const;

/** `struct sockaddr_nl` (netlink(7)). */
export const SOCKADDR_NL = {
  size: 12,
  family: 0, // u16, then 2 octets of padding
  port: 4, // u32
  groups: 8, // u32, one bit for each of the groups 1 to 32
} as const;

/** `struct nlmsghdr` (netlink(7)); the next one begins at the length rounded up to 4. */
export const NLMSGHDR = {
  size: 16,
  length: 0, // u32, header included
  type: 4, // u16
} as const;

/** `struct rtmsg` (rtnetlink(7)). */
export const RTMSG = {
  size: 12,
  flags: 8, // u32
} as const;

/** `struct nfgenmsg` (linux/netfilter/nfnetlink.h). */
export const NFGENMSG = { size: 4 } as const;

/** `struct nlattr`; the next one begins at the length rounded up to 4. */
export const NLATTR = {
  size: 4,
  length: 0, // u16, header included
  type: 2, // u16
} as const;

/** `struct iovec`. */
export const IOVEC = {
  size: 16,
  base: 0, // pointer
  length: 8, // size_t
} as const;

/** `struct msghdr` (recvmsg(2)). */
export const MSGHDR = {
  size: 56,
  name: 0, // pointer
  nameLength: 8, // u32, then 4 octets of padding
  vectors: 16, // pointer
  vectorCount: 24, // size_t
  control: 32, // pointer
  controlLength: 40, // size_t
  flags: 48, // i32, then 4 octets of padding
} as const;

/** `struct cmsghdr` (cmsg(3)); the next one begins at the length rounded up to `alignment`. */
export const CMSGHDR = {
  size: 16,
  alignment: 8,
  length: 0, // size_t, header included
  level: 8, // i32
  type: 12, // i32
  data: 16,
} as const;

/** `struct in_pktinfo` (ip(7)). */
export const IN_PKTINFO = {
  size: 12,
  interfaceIndex: 0, // i32
  specificDestination: 4, // 4 octets: the local address, to send from
  address: 8, // 4 octets: the destination in the header
} as const;

/** `struct in6_pktinfo` (RFC 3542 section 6). */
export const IN6_PKTINFO = {
  size: 20,
  address: 0, // 16 octets
  interfaceIndex: 16, // u32
} as const;

/** `struct sock_extended_err` (ip(7)); the offender's address follows. */
export const SOCK_EXTENDED_ERR = {
  size: 16,
  errno: 0, // u32
  origin: 4, // u8
  type: 5, // u8
  code: 6, // u8
  info: 8, // u32: the MTU with EMSGSIZE
  data: 12, // u32
} as const;

/** `struct ifreq` (netdevice(7)). */
export const IFREQ = {
  size: 40,
  name: 0, // 16 octets, zero-terminated
  nameSize: 16,
  flags: 16, // i16
  index: 16, // i32, in the same place
  mtu: 16, // i32, in the same place
  hardwareType: 16, // u16, in the same place
  hardwareAddress: 18, // 6 octets, behind the type
  data: 16, // pointer, in the same place
} as const;

/** `struct ethtool_value` (linux/ethtool.h). */
export const ETHTOOL_VALUE = {
  size: 8,
  command: 0, // u32
  data: 4, // u32
} as const;

/** `struct pollfd` (poll(2)). */
export const POLLFD = {
  size: 8,
  handle: 0, // i32
  events: 4, // i16
  returned: 6, // i16
} as const;

/** `struct gpiochip_info` (linux/gpio.h). */
export const GPIOCHIP_INFO = {
  size: 68,
  label: 32, // 32 octets, zero-terminated
  labelSize: 32,
  lines: 64, // u32
} as const;

/** `struct gpio_v2_line_config_attribute` (linux/gpio.h). */
export const GPIO_V2_LINE_CONFIG_ATTRIBUTE = {
  size: 24,
  id: 0, // u32, then 4 octets of padding
  value: 8, // u64; of a debounce period u32, microseconds
  mask: 16, // u64, a bit for each line that it is for
} as const;

/** `struct gpio_v2_line_request` with its `struct gpio_v2_line_config` (linux/gpio.h). */
export const GPIO_V2_LINE_REQUEST = {
  size: 592,
  offsets: 0, // u32 each
  consumer: 256, // 32 octets, zero-terminated
  flags: 288, // u64
  attributeCount: 296, // u32, then 20 octets of padding
  attributes: 320, // gpio_v2_line_config_attribute each, 10 at most
  lineCount: 560, // u32
  eventBufferSize: 564, // u32, then 20 octets of padding
  handle: 588, // i32, from the kernel
} as const;

/** `struct gpio_v2_line_values` (linux/gpio.h): a bit for each line of the request. */
export const GPIO_V2_LINE_VALUES = {
  size: 16,
  bits: 0, // u64
  mask: 8, // u64
} as const;

/** `struct gpio_v2_line_event` (linux/gpio.h). */
export const GPIO_V2_LINE_EVENT = {
  size: 48,
  timestamp: 0, // u64, nanoseconds of CLOCK_MONOTONIC
  id: 8, // u32
} as const;

/** `struct input_event` (linux/input.h). */
export const INPUT_EVENT = {
  size: 24,
  seconds: 0, // i64
  microseconds: 8, // i64
  type: 16, // u16
  code: 18, // u16
  value: 20, // i32: 0 released, 1 pressed, 2 repeated
} as const;

/** `struct watchdog_info` (linux/watchdog.h). */
export const WATCHDOG_INFO = {
  size: 40,
  options: 0, // u32, then the version of the firmware
  identity: 8, // 32 octets, zero-terminated
  identitySize: 32,
} as const;
