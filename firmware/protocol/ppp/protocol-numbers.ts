/** PPP protocol numbers (RFC 1661 section 2 and the IANA registry) that this firmware speaks or can name. */

export const PPP_IP = 0x0021;
export const PPP_IPV6 = 0x0057;
export const PPP_IPCP = 0x8021;
export const PPP_IPV6CP = 0x8057;
export const PPP_CCP = 0x80fd;
export const PPP_LCP = 0xc021;
export const PPP_PAP = 0xc023;
export const PPP_CHAP = 0xc223;
export const PPP_EAP = 0xc227;

const NAMES: ReadonlyMap<number, string> = new Map([
  [PPP_IP, 'IP'],
  [0x002d, 'VJ-Compressed'],
  [0x002f, 'VJ-Uncompressed'],
  [0x003d, 'Multilink'],
  [PPP_IPV6, 'IPv6'],
  [0x00fd, 'Compressed'],
  [PPP_IPCP, 'IPCP'],
  [0x802b, 'IPXCP'],
  [0x8031, 'BCP'],
  [0x803f, 'NBFCP'],
  [0x8053, 'ECP'],
  [PPP_IPV6CP, 'IPV6CP'],
  [PPP_CCP, 'CCP'],
  [0x8281, 'MPLSCP'],
  [PPP_LCP, 'LCP'],
  [PPP_PAP, 'PAP'],
  [0xc025, 'LQR'],
  [0xc02b, 'BACP'],
  [PPP_CHAP, 'CHAP'],
  [PPP_EAP, 'EAP'],
]);

/** `LCP`, `IPCP` ...; `0xNNNN` for a number without a name here. */
export function protocolName(protocol: number): string {
  return NAMES.get(protocol) ?? `0x${protocol.toString(16).padStart(4, '0')}`;
}

/** Whether the number belongs to a Network Control Protocol (RFC 1661 section 2: 0x8000..0xbfff). */
export function isNetworkControlProtocol(protocol: number): boolean {
  return protocol >= 0x8000 && protocol <= 0xbfff;
}
