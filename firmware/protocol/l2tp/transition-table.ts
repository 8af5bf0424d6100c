/** A state table in the RFC's form: state, event, action, new state. */
export interface Transition<State, Event, Action> {
  readonly from: readonly State[];
  readonly event: Event;
  readonly action: Action;
  readonly to: State;
}

/** The row for an event in a state; `undefined` where the table has none: the event changes nothing. */
export function findTransition<State, Event, Action>(
  table: readonly Transition<State, Event, Action>[],
  state: State,
  event: Event,
): Transition<State, Event, Action> | undefined {
  return table.find((row) => row.event === event && row.from.includes(state));
}
