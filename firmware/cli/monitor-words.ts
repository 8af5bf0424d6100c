/** What `culvert monitor` follows, with a line for each. */
export const MONITORED = {
  log: 'The last lines of the log, and those that come.',
  state: 'The state of each connection, and each change of it.',
  traffic: 'What passes interfaces and tunnels, once a second.',
} as const;
