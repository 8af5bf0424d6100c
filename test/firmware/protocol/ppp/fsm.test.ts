import { describe, expect, it } from 'vitest';
import {
  AUTOMATON_EVENTS,
  AUTOMATON_STATES,
  Automaton,
  type AutomatonEvent,
  type AutomatonState,
  type ProtocolAction,
  transition,
} from '../../../../firmware/protocol/ppp/fsm.ts';
import { RFC1661_TABLE } from './rfc1661-table.ts';

const RESTART = { intervalMs: 1000, maxConfigure: 10, maxTerminate: 2, maxFailure: 5 };

/** The shortest way into a state, as events. */
const WAYS: Readonly<Record<AutomatonState, readonly AutomatonEvent[]>> = {
  Initial: [],
  Starting: ['Open'],
  Closed: ['Up'],
  Stopped: ['Open', 'Up', 'RXJ-'],
  Closing: ['Open', 'Up', 'Close'],
  Stopping: ['Open', 'Up', 'RCR+', 'RCA', 'RTR'],
  'Req-Sent': ['Open', 'Up'],
  'Ack-Rcvd': ['Open', 'Up', 'RCA'],
  'Ack-Sent': ['Open', 'Up', 'RCR+'],
  Opened: ['Open', 'Up', 'RCR+', 'RCA'],
};

function automatonIn(state: AutomatonState): { automaton: Automaton; actions: ProtocolAction[] } {
  const actions: ProtocolAction[] = [];
  const automaton = new Automaton(RESTART, (action) => actions.push(action));
  for (const event of WAYS[state]) automaton.handle(event, 0);
  expect(automaton.state).toBe(state);
  actions.length = 0;
  return { automaton, actions };
}

describe('the transition table of RFC 1661 section 4.1', () => {
  for (const state of AUTOMATON_STATES) {
    it(`is the RFC's in state ${state}, for every event`, () => {
      for (const event of AUTOMATON_EVENTS) {
        const wanted = RFC1661_TABLE[state]?.[event];
        const cell = transition(state, event);
        expect(cell === undefined ? undefined : [cell.actions.join(','), cell.next], `${state} ${event}`).toEqual(
          wanted,
        );
      }
    });

    it(`is what the automaton does in state ${state}`, () => {
      for (const event of AUTOMATON_EVENTS) {
        const { automaton, actions } = automatonIn(state);
        const wanted = RFC1661_TABLE[state]?.[event];
        expect(automaton.handle(event, 5), `${state} ${event}`).toBe(wanted !== undefined);
        const carriedOut = (wanted?.[0] ?? '').split(',').filter((name) => !['', 'irc', 'zrc'].includes(name));
        expect(actions, `${state} ${event}`).toEqual(carriedOut);
        expect(automaton.state).toBe(wanted?.[1] ?? state);
      }
    });
  }
});

describe('the Restart timer and counter (RFC 1661 section 4.6)', () => {
  it('runs in exactly the states that have TO events', () => {
    for (const state of AUTOMATON_STATES) {
      const { automaton } = automatonIn(state);
      expect(automaton.nextDeadline() !== undefined, state).toBe(RFC1661_TABLE[state]?.['TO+'] !== undefined);
    }
  });

  it('sends Max-Configure Configure-Requests in all, one per interval, and then gives up', () => {
    const sent: [ProtocolAction, number][] = [];
    const automaton = new Automaton(RESTART, (action, now) => sent.push([action, now]));
    automaton.handle('Open', 0);
    automaton.handle('Up', 0);
    for (let now = 0; now <= 20_000; now += 100) automaton.tick(now);
    const requests = sent.filter(([action]) => action === 'scr').map(([, now]) => now);
    expect(requests).toEqual([0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000]);
    expect(sent.at(-1)).toEqual(['tlf', 10_000]);
    expect(automaton.nextDeadline()).toBeUndefined();
  });

  it('sends Max-Terminate Terminate-Requests before it gives up closing', () => {
    const { automaton, actions } = automatonIn('Opened');
    automaton.handle('Close', 0);
    for (let now = 0; now <= 5000; now += 100) automaton.tick(now);
    expect(actions).toEqual(['tld', 'str', 'str', 'tlf']);
    expect(automaton.state).toBe('Closed');
  });

  it('waits one interval after the peer terminated, so that the peer can hear the Terminate-Ack', () => {
    const { automaton, actions } = automatonIn('Opened');
    automaton.handle('RTR', 0);
    automaton.tick(999);
    expect(actions).toEqual(['tld', 'sta']);
    automaton.tick(1000);
    expect(actions).toEqual(['tld', 'sta', 'tlf']);
  });

  it('starts the counter anew after a valid answer', () => {
    const { automaton, actions } = automatonIn('Req-Sent');
    for (let now = 0; now <= 8000; now += 1000) automaton.tick(now);
    automaton.handle('RCN', 8500);
    actions.length = 0;
    for (let now = 8500; now <= 20_000; now += 100) automaton.tick(now);
    expect(actions.filter((action) => action === 'scr')).toHaveLength(9);
  });
});
