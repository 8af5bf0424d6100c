/** How packets lie in buffers, so that no header or trailer ever moves them: with this much free around them. */
import { MAX_AH_HEADER } from '../../protocol/ah/packet.ts';
import { IPV4_HEADER } from '../../protocol/esp/ip-packet.ts';
import { MAX_ESP_HEADROOM, MAX_ESP_TAILROOM } from '../../protocol/esp/packet.ts';
import { MAX_DATA_HEADER_LENGTH } from '../../protocol/l2tp/data-message.ts';
import { MAX_PPP_HEADER } from '../../protocol/ppp/header.ts';

/** UDP header (RFC 768), octets. */
export const UDP_HEADER = 8;
/** In front of an L2TP message: the UDP header inside ESP, and the header and IV of ESP. */
export const MESSAGE_HEADROOM = UDP_HEADER + MAX_ESP_HEADROOM;
/** In front of an IP packet or PPP frame: besides, the longest L2TP and PPP headers; or AH with its IP header. */
export const HEADROOM = Math.max(
  MAX_DATA_HEADER_LENGTH + MAX_PPP_HEADER + MESSAGE_HEADROOM,
  IPV4_HEADER + MAX_AH_HEADER,
);
/** Behind a packet: padding, trailer and ICV of ESP. */
export const TAILROOM = MAX_ESP_TAILROOM;
/** Largest packet or datagram, octets: what a 16-bit length field can say. */
export const MAX_PACKET = 65_535;
