/** What `culvert show` shows, with a line for each. */
export const SHOW_TOPIC_HELP = {
  config: 'the configuration in force, without its secrets',
  status: 'everything at a glance',
  interfaces: 'network interfaces, with addresses and state',
  uplinks: 'ways to the internet',
  l2tp: 'L2TP tunnels and their sessions',
  ppp: 'PPP links: addresses, DNS servers, authentication',
  ipsec: 'IKE SAs and their child SAs',
  certificates: 'certificates of the configuration, and how long they hold',
  leds: 'LEDs of the board and what they say, buttons, watchdog',
  modems: 'modems of the board',
  log: 'the last lines of the log',
  history: 'revisions of the configuration',
  audit: 'who changed what and who logged in, the newest first',
  traffic: 'what passed in the last minute, hour and day',
  limits: 'what this router cannot do, or not fast, or not more of, and why',
} as const;

export type ShowTopic = keyof typeof SHOW_TOPIC_HELP;

export const SHOW_TOPICS = Object.keys(SHOW_TOPIC_HELP) as readonly ShowTopic[];
