/** The steps of a connection, from the configuration to the first user packet that comes back. */

/** In the order in which they are taken. A connection takes those that its protocols have. */
export const LADDER = [
  'configuration',
  'link',
  'address',
  'route',
  'dns',
  'clock',
  'ike',
  'ike-authentication',
  'child-sa',
  'esp',
  'l2tp-tunnel',
  'l2tp-session',
  'lcp',
  'ppp-authentication',
  'ipcp',
  'ipv6cp',
  'routes',
  'traffic',
] as const;

export type LadderStep = (typeof LADDER)[number];

/** As people read them. */
export const STEP_TITLES: Readonly<Record<LadderStep, string>> = {
  configuration: 'configuration',
  link: 'WAN link',
  address: 'WAN address',
  route: 'route to the server',
  dns: 'name of the server',
  clock: 'clock',
  ike: 'IKE key exchange',
  'ike-authentication': 'IKE authentication',
  'child-sa': 'child SA',
  esp: 'ESP path',
  'l2tp-tunnel': 'L2TP tunnel',
  'l2tp-session': 'L2TP session',
  lcp: 'LCP',
  'ppp-authentication': 'PPP authentication',
  ipcp: 'IPCP',
  ipv6cp: 'IPv6CP',
  routes: 'routes into the tunnel',
  traffic: 'traffic',
};
