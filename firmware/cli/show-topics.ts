/** What `culvert show` shows. */
export const SHOW_TOPICS = [
  'config',
  'status',
  'interfaces',
  'uplinks',
  'l2tp',
  'ppp',
  'ipsec',
  'certificates',
  'leds',
  'modems',
  'log',
  'history',
  'traffic',
] as const;

export type ShowTopic = (typeof SHOW_TOPICS)[number];
