import { describe, expect, it } from 'vitest';
import type { RouterEvent } from '../../../firmware/api/router-control.ts';
import { EventBus } from '../../../firmware/router/events.ts';

describe('the events of a router', () => {
  it('carry the time since the attempt began, though time service sets the wall clock meanwhile', () => {
    let [now, wall] = [1_000, Date.UTC(2026, 10, 21)];
    const bus = new EventBus({ now: () => now, wall: () => wall });
    const events: RouterEvent[] = [];
    bus.listen((event) => events.push(event));
    bus.emit({ connection: 'hq', kind: 'step', step: 'resolve' });
    bus.began('hq');
    [now, wall] = [1_250, Date.UTC(2031, 4, 1)];
    bus.emit({ connection: 'hq', kind: 'step', step: 'SCCRQ' });
    [now, wall] = [1_300, Date.UTC(1970, 0, 1)];
    bus.emit({ connection: 'hq', kind: 'step', step: 'SCCRP' });
    expect(events.map(({ sinceStartMs }) => sinceStartMs)).toEqual([undefined, 250, 300]);
    expect(events[1]?.at).toBe(Date.UTC(2031, 4, 1));
  });
});
