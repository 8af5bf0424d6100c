/**
 * The option negotiation automaton of RFC 1661 section 4, which LCP and every NCP run: its transition table, the
 * Restart timer and the Restart counter. What the actions do is the business of the protocol that runs it.
 */
import type { Instant } from '../machine.ts';

/** RFC 1661 section 4.2, in the order of the columns of the table. */
export const AUTOMATON_STATES = [
  'Initial',
  'Starting',
  'Closed',
  'Stopped',
  'Closing',
  'Stopping',
  'Req-Sent',
  'Ack-Rcvd',
  'Ack-Sent',
  'Opened',
] as const;
export type AutomatonState = (typeof AUTOMATON_STATES)[number];

/** RFC 1661 section 4.3. */
export const AUTOMATON_EVENTS = [
  'Up',
  'Down',
  'Open',
  'Close',
  'TO+',
  'TO-',
  'RCR+',
  'RCR-',
  'RCA',
  'RCN',
  'RTR',
  'RTA',
  'RUC',
  'RXJ+',
  'RXJ-',
  'RXR',
] as const;
export type AutomatonEvent = (typeof AUTOMATON_EVENTS)[number];

/** RFC 1661 section 4.4. `irc` and `zrc` are the automaton's own; the others are handed to the protocol. */
export const AUTOMATON_ACTIONS = [
  'tlu',
  'tld',
  'tls',
  'tlf',
  'irc',
  'zrc',
  'scr',
  'sca',
  'scn',
  'str',
  'sta',
  'scj',
  'ser',
] as const;
export type AutomatonAction = (typeof AUTOMATON_ACTIONS)[number];

/** One cell of the table. */
export interface Transition {
  readonly actions: readonly AutomatonAction[];
  readonly next: AutomatonState;
}

/**
 * RFC 1661 section 4.1, State Transition Table: `actions/next state`, `-` for an illegal event. States:
 * 0 Initial, 1 Starting, 2 Closed, 3 Stopped, 4 Closing, 5 Stopping, 6 Req-Sent, 7 Ack-Rcvd, 8 Ack-Sent, 9 Opened.
 * Neither the passive option [p] nor the restart option [r] is used.
 */
const TABLE = `
        0      1          2          3              4      5      6          7          8          9
  Up    2      irc,scr/6  -          -              -      -      -          -          -          -
  Down  -      -          0          tls/1          0      1      1          1          1          tld/1
  Open  tls/1  1          irc,scr/6  3              5      5      6          7          8          9
  Close 0      tlf/0      2          2              4      4      irc,str/4  irc,str/4  irc,str/4  tld,irc,str/4

  TO+   -      -          -          -              str/4  str/5  scr/6      scr/6      scr/8      -
  TO-   -      -          -          -              tlf/2  tlf/3  tlf/3      tlf/3      tlf/3      -

  RCR+  -      -          sta/2      irc,scr,sca/8  4      5      sca/8      sca,tlu/9  sca/8      tld,scr,sca/8
  RCR-  -      -          sta/2      irc,scr,scn/6  4      5      scn/6      scn/7      scn/6      tld,scr,scn/6
  RCA   -      -          sta/2      sta/3          4      5      irc/7      scr/6      irc,tlu/9  tld,scr/6
  RCN   -      -          sta/2      sta/3          4      5      irc,scr/6  scr/6      irc,scr/8  tld,scr/6

  RTR   -      -          sta/2      sta/3          sta/4  sta/5  sta/6      sta/6      sta/6      tld,zrc,sta/5
  RTA   -      -          2          3              tlf/2  tlf/3  6          6          8          tld,scr/6

  RUC   -      -          scj/2      scj/3          scj/4  scj/5  scj/6      scj/7      scj/8      scj/9
  RXJ+  -      -          2          3              4      5      6          6          8          9
  RXJ-  -      -          tlf/2      tlf/3          tlf/2  tlf/3  tlf/3      tlf/3      tlf/3      tld,irc,str/5

  RXR   -      -          2          3              4      5      6          7          8          ser/9
`;

const TRANSITIONS = parseTable(TABLE);

/** The cell of the table for an event in a state; `undefined` where the table has a dash. */
export function transition(state: AutomatonState, event: AutomatonEvent): Transition | undefined {
  return TRANSITIONS.get(`${state} ${event}`);
}

/** RFC 1661 section 4.6. */
export interface RestartPolicy {
  /** Restart timer, ms. */
  readonly intervalMs: number;
  /** Max-Configure: Configure-Requests sent without a valid answer. */
  readonly maxConfigure: number;
  /** Max-Terminate: Terminate-Requests sent without a Terminate-Ack. */
  readonly maxTerminate: number;
  /** Max-Failure: Configure-Naks sent before they turn into Configure-Rejects. */
  readonly maxFailure: number;
}

/** The actions that a protocol carries out. */
export type ProtocolAction = Exclude<AutomatonAction, 'irc' | 'zrc'>;

/** A protocol's automaton. Feed it events; it calls back with the actions, in the table's order. */
export class Automaton {
  readonly #restart: RestartPolicy;
  readonly #act: (action: ProtocolAction, now: Instant) => void;
  #state: AutomatonState = 'Initial';
  #restartCounter = 0;
  #restartTimer: Instant | undefined;

  /** @param act carries out one action. The state is already the new one; `act` may feed further events. */
  constructor(restart: RestartPolicy, act: (action: ProtocolAction, now: Instant) => void) {
    this.#restart = restart;
    this.#act = act;
  }

  get state(): AutomatonState {
    return this.#state;
  }

  /** Takes the event. @returns false when the table calls it illegal here; nothing happens then (section 4.4). */
  handle(event: AutomatonEvent, now: Instant): boolean {
    const cell = transition(this.#state, event);
    if (cell === undefined) return false;
    this.#state = cell.next;
    for (const action of cell.actions) this.#perform(action, cell, now);
    if (!hasRestartTimer(this.#state)) this.#restartTimer = undefined;
    return true;
  }

  /** Opened at once, without a packet: somebody else has negotiated in our place. Before any event only. */
  adopt(now: Instant): void {
    if (this.#state !== 'Initial') return;
    this.#state = 'Opened';
    this.#act('tlu', now);
  }

  /** Lets the Restart timer expire when it is due: TO+ or TO-. */
  tick(now: Instant): void {
    if (this.#restartTimer === undefined || now < this.#restartTimer) return;
    this.handle(this.#restartCounter > 0 ? 'TO+' : 'TO-', now);
  }

  nextDeadline(): Instant | undefined {
    return this.#restartTimer;
  }

  #perform(action: AutomatonAction, cell: Transition, now: Instant): void {
    switch (action) {
      case 'irc':
        // "The appropriate value" depends on what is about to be sent.
        this.#restartCounter = cell.actions.includes('str') ? this.#restart.maxTerminate : this.#restart.maxConfigure;
        return;
      case 'zrc':
        this.#restartCounter = 0;
        this.#restartTimer = now + this.#restart.intervalMs;
        return;
      case 'scr':
      case 'str':
        this.#restartCounter -= 1;
        this.#restartTimer = now + this.#restart.intervalMs;
        break;
      default:
        break;
    }
    this.#act(action, now);
  }
}

/** "The states in which the Restart timer is running are identifiable by the presence of TO events." */
function hasRestartTimer(state: AutomatonState): boolean {
  return transition(state, 'TO+') !== undefined;
}

function parseTable(table: string): ReadonlyMap<string, Transition> {
  const cells = new Map<string, Transition>();
  for (const line of table.split('\n')) {
    const [head, ...row] = line.trim().split(/\s+/);
    const event = AUTOMATON_EVENTS.find((name) => name === head);
    if (event === undefined) continue;
    AUTOMATON_STATES.forEach((state, column) => {
      const cell = parseCell(row[column] ?? '-');
      if (cell !== undefined) cells.set(`${state} ${event}`, cell);
    });
  }
  return cells;
}

function parseCell(cell: string): Transition | undefined {
  if (cell === '-') return undefined;
  const names = cell.includes('/') ? cell.slice(0, cell.indexOf('/')).split(',') : [];
  const next = AUTOMATON_STATES[Number(cell.slice(cell.indexOf('/') + 1))];
  const actions = names.map((name) => AUTOMATON_ACTIONS.find((action) => action === name));
  if (next === undefined || !actions.every((action) => action !== undefined)) {
    throw new Error(`the transition table has a cell that cannot be read: ${cell}`);
  }
  return { actions, next };
}
