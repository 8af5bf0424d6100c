/** What `restart` knows beside the names of connections. */
export const RESTARTED = {
  firmware: 'This program: every connection ends and comes back.',
  l2tp: 'Every L2TP client that is not down.',
  ipsec: 'Every IPsec connection between networks that is not down.',
} as const;
