/** Numbers of the kernel's interface, as on every architecture with the generic headers. */

export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;

export const SOL_SOCKET = 1;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_BINDTODEVICE = 25;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
/** A `struct sock_fprog`: a program of classic BPF that says what reaches the socket (socket(7)). */
export const SO_ATTACH_FILTER = 26;
/** The same number is the type of its control message (SCM_TIMESTAMPNS), a `struct timespec`. */
export const SO_TIMESTAMPNS = 35;
export const SO_MARK = 36;

export const IPPROTO_IP = 0;
export const IP_TOS = 1;
export const IP_TTL = 2;
export const IP_HDRINCL = 3;
export const IP_PKTINFO = 8;
export const IP_MTU_DISCOVER = 10;
export const IP_RECVERR = 11;
export const IP_RECVTOS = 13;

export const IPPROTO_TCP = 6;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const TCP_USER_TIMEOUT = 18;

export const IPPROTO_IPV6 = 41;
export const IPV6_UNICAST_HOPS = 16;
export const IPV6_MTU_DISCOVER = 23;
export const IPV6_RECVERR = 25;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
export const IPV6_RECVHOPLIMIT = 51;
export const IPV6_HOPLIMIT = 52;
export const IPV6_RECVTCLASS = 66;
export const IPV6_TCLASS = 67;

export const SOL_PACKET = 263;
/** A `struct tpacket_stats`, which is zeroed when it is read (packet(7)). */
export const PACKET_STATISTICS = 6;
/** The same number is the type of its control message, a `struct tpacket_auxdata` (packet(7)). */
export const PACKET_AUXDATA = 8;
/** Set in `status` of that structure: the packet had a VLAN tag, which stands in the structure alone. */
export const TP_STATUS_VLAN_VALID = 0x10;
/** Set where the checksum of the transport is still to be filled in: the packet has never been on a wire. */
export const TP_STATUS_CSUMNOTREADY = 0x8;
/** Set where the structure has the tag's EtherType as well. */
export const TP_STATUS_VLAN_TPID_VALID = 0x40;
/** Protocols of a link (linux/if_ether.h); the first one means all of them. */
export const ETH_P_ALL = 0x0003;
export const ETH_P_IP = 0x0800;
export const ETH_P_IPV6 = 0x86dd;
export const ETH_P_8021Q = 0x8100;
/** Packet types (packet(7)): for this device, for everybody, for a group, for another host, and what leaves. */
export const PACKET_HOST = 0;
export const PACKET_BROADCAST = 1;
export const PACKET_MULTICAST = 2;
export const PACKET_OUTGOING = 4;

/** Hardware types of devices (linux/if_arp.h). */
export const ARPHRD_ETHER = 1;
export const ARPHRD_LOOPBACK = 772;
/** Protocols of a raw socket: ICMP (RFC 792) and ICMPv6 (RFC 4443). */
export const IPPROTO_ICMP = 1;
export const IPPROTO_ICMPV6 = 58;
/** The same: the Encapsulating Security Payload (RFC 4303 section 2). */
export const IPPROTO_ESP = 50;
/** The Authentication Header (RFC 4302 section 2). */
export const IPPROTO_AH = 51;

/** Values of IP_MTU_DISCOVER and IPV6_MTU_DISCOVER: fragment here; never fragment, set DF. */
export const PMTUDISC_DONT = 0;
export const PMTUDISC_DO = 2;

/** Protocols of AF_NETLINK. */
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_ERRQUEUE = 0x2000;

export const POLLIN = 1;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 16;
export const POLLNVAL = 32;

export const EFD_NONBLOCK = 0o4000;
export const EFD_CLOEXEC = 0o2000000;

/** ioctl: the index of the device named in a `struct ifreq` (netdevice(7)). */
export const SIOCGIFINDEX = 0x8933;
/** ioctl: the flags of a device, of which this one says that it is up and has carrier. */
export const SIOCGIFFLAGS = 0x8913;
export const IFF_RUNNING = 0x40;
/** ioctl: what is asked of a driver (linux/ethtool.h) stands in a structure that the request points to. */
export const SIOCETHTOOL = 0x8946;
/** Whether it has carrier: a `struct ethtool_value`. */
export const ETHTOOL_GLINK = 0x0a;
/** ioctl: its MTU. */
export const SIOCGIFMTU = 0x8921;
/** ioctl: its link address, whose family is the hardware type of the device. */
export const SIOCGIFHWADDR = 0x8927;

/** ioctl: attach this file to a TUN device (linux/if_tun.h). */
export const TUNSETIFF = 0x400454ca;
export const IFF_TUN = 0x0001;
export const IFF_NO_PI = 0x1000;
/** Refuse a device that is there already, instead of attaching to it. */
export const IFF_TUN_EXCL = 0x8000;

/** Clock of the time of day (clock_gettime(2)), by which the kernel stamps what it receives. */
export const CLOCK_REALTIME = 0;
/** That of `Clock.now`. */
export const CLOCK_MONOTONIC = 1;

/** ioctls of a GPIO chip and of its lines, version 2 of the interface (linux/gpio.h). */
export const GPIO_GET_CHIPINFO_IOCTL = 0x8044b401;
export const GPIO_V2_GET_LINE_IOCTL = 0xc250b407;
export const GPIO_V2_LINE_GET_VALUES_IOCTL = 0xc010b40e;
export const GPIO_V2_LINE_SET_VALUES_IOCTL = 0xc010b40f;
/** Bits of `flags` in a `struct gpio_v2_line_config`. */
export const GPIO_V2_LINE_FLAG_ACTIVE_LOW = 0x02;
export const GPIO_V2_LINE_FLAG_INPUT = 0x04;
export const GPIO_V2_LINE_FLAG_OUTPUT = 0x08;
export const GPIO_V2_LINE_FLAG_EDGE_RISING = 0x10;
export const GPIO_V2_LINE_FLAG_EDGE_FALLING = 0x20;
/** What an attribute of it is. */
export const GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES = 2;
export const GPIO_V2_LINE_ATTR_ID_DEBOUNCE = 3;
/** An event by which a line became active; 2 is the other one. */
export const GPIO_V2_LINE_EVENT_RISING_EDGE = 1;

/** ioctls of an input device (linux/input.h): which keys it has, and which are down, in bit maps of {@link KEY_OCTETS}. */
export const EVIOCGBIT_KEY = 0x80604521;
export const EVIOCGKEY = 0x80604518;
export const KEY_OCTETS = 96;
/** Its name, in 64 octets. */
export const EVIOCGNAME = 0x80404506;
export const INPUT_NAME_OCTETS = 64;
/** The clock of its events, an int. */
export const EVIOCSCLOCKID = 0x400445a0;
/** Types of events (linux/input-event-codes.h), and the code by which the kernel says that events were lost. */
export const EV_SYN = 0;
export const EV_KEY = 1;
export const SYN_DROPPED = 3;

/** ioctls of a watchdog (linux/watchdog.h). */
export const WDIOC_GETSUPPORT = 0x80285700;
export const WDIOC_KEEPALIVE = 0x80045705;
export const WDIOC_SETTIMEOUT = 0xc0045706;
export const WDIOC_GETTIMEOUT = 0x80045707;
/** Bit of its options: it stops when it is closed after an `V`. */
export const WDIOF_MAGICCLOSE = 0x0100;
