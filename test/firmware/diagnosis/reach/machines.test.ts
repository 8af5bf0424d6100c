import { describe, expect, it } from 'vitest';
import { PingMachine, REPLY_MS, type ReachOutput } from '../../../../firmware/diagnosis/reach/ping-machine.ts';
import type { PingEvent, TracerouteEvent } from '../../../../firmware/diagnosis/reach/reach-event.ts';
import { TracerouteMachine } from '../../../../firmware/diagnosis/reach/traceroute-machine.ts';
import { icmpError, icmpReply } from '../../protocol/icmp/icmp-answers.ts';

const DATA = Uint8Array.of(9, 8, 7, 6);
const HOST = '10.99.0.10';
const ROUTER = '10.20.0.1';

type Sent = Extract<ReachOutput<never>, { kind: 'send' }>;

/** Lets time pass from deadline to deadline, and does with each request what `world` says. */
function driven<Event extends { readonly kind: string }>(
  machine: PingMachine | TracerouteMachine,
  world: (sent: Sent, now: number) => void,
  until = Number.POSITIVE_INFINITY,
): Event[] {
  const events: Event[] = [];
  for (let now = 0; ; ) {
    machine.tick(now);
    for (let output = machine.poll(); output !== undefined; output = machine.poll()) {
      if (output.kind === 'tell') events.push(output.event as unknown as Event);
      else world(output, now);
    }
    const deadline = machine.nextDeadline();
    if (deadline === undefined || deadline > until) return events;
    now = Math.max(now, deadline);
  }
}

const ping = (options: Partial<ConstructorParameters<typeof PingMachine>[0]> = {}) =>
  new PingMachine({ family: 4, identifier: 77, count: 3, interval: 1000, data: DATA, ...options }, 0);

describe('ping', () => {
  it('asks in its rhythm, and tells each answer, how long it took, and what it comes to', () => {
    const machine = ping();
    const times: number[] = [];
    const events = driven<PingEvent>(machine, ({ message, sequence }, now) => {
      times.push(now);
      machine.received(now + 5, now + sequence, HOST, 63, icmpReply(4, message));
    });
    expect(times).toEqual([0, 1000, 2000]);
    const reply = { kind: 'reply', from: HOST, size: 4, hopLimit: 63 };
    expect(events).toEqual([
      ...[1, 2, 3].map((sequence) => ({ ...reply, sequence, ms: sequence })),
      { kind: 'end', sent: 3, received: 3, duplicates: 0, errors: 0, times: { least: 1, average: 2, most: 3 } },
    ]);
  });

  it('counts the time from when a request has left, and not from when it was due', () => {
    const machine = ping({ count: 1 });
    const events = driven<PingEvent>(machine, ({ message, sequence }, now) => {
      machine.left(now + 14, sequence);
      machine.left(now + 14, 99);
      machine.received(now + 20, now + 16, HOST, 64, icmpReply(4, message));
    });
    expect(events[0]).toMatchObject({ kind: 'reply', ms: 2 });
  });

  it('tells what is not answered, once it is not waited for any more', () => {
    const events = driven<PingEvent>(ping({ count: 2 }), () => undefined);
    expect(events).toEqual([
      { kind: 'no-reply', sequence: 1 },
      { kind: 'no-reply', sequence: 2 },
      { kind: 'end', sent: 2, received: 0, duplicates: 0, errors: 0 },
    ]);
  });

  it('believes no answer of another, none with other data, and none twice', () => {
    const machine = ping({ count: 1 });
    const events = driven<PingEvent>(machine, ({ message }, now) => {
      const foreign = Uint8Array.from(message);
      foreign[5] = 78;
      machine.received(now, now, HOST, 64, icmpReply(4, foreign));
      const changed = Uint8Array.from(message);
      changed[9] = 0;
      machine.received(now, now, HOST, 64, icmpReply(4, changed));
      machine.received(now, now, HOST, 64, Uint8Array.of(0));
      machine.received(now, now, HOST, 64, icmpError(4, foreign, 3, 1));
    });
    expect(events.map(({ kind }) => kind)).toEqual(['no-reply', 'end']);
    const twice = ping();
    // Behind the last answer nothing is listened to any more.
    const again = driven<PingEvent>(twice, ({ message }, now) => {
      for (let count = 0; count < 2; count += 1) twice.received(now, now, HOST, 64, icmpReply(4, message));
    });
    expect(again.filter((event) => event.kind === 'reply' && event.duplicate)).toHaveLength(2);
    expect(again.at(-1)).toMatchObject({ sent: 3, received: 3, duplicates: 2 });
  });

  it('tells the MTU of the path, whoever says it, and the largest size that fits', () => {
    const machine = ping({ count: 2 });
    const events = driven<PingEvent>(machine, ({ message, sequence }, now) => {
      if (sequence === 1) machine.received(now, now, ROUTER, 64, icmpError(4, message, 3, 4, 1400));
      else machine.refused(now, sequence, { code: 'EMSGSIZE', mtu: 1390 });
    });
    expect(events).toMatchObject([
      { kind: 'error', sequence: 1, from: ROUTER, pathMtu: 1400, reason: expect.stringContaining('--size 1372') },
      { kind: 'error', sequence: 2, pathMtu: 1390 },
      { kind: 'end', errors: 2, pathMtu: 1390, largestSize: 1362 },
    ]);
    expect(events[1]).not.toHaveProperty('from');
  });

  it('says in words who refused, and why', () => {
    const machine = ping({ count: 3, family: 6 });
    const events = driven<PingEvent>(machine, ({ message, sequence }, now) => {
      if (sequence === 1) machine.received(now, now, 'fd00::1', 64, icmpError(6, message, 1, 0));
      else if (sequence === 2) machine.received(now, now, 'fd00::1', 64, icmpError(6, message, 3, 0));
      else machine.refused(now, sequence, { code: 'ENETUNREACH', mtu: 0 });
    });
    expect(events).toMatchObject([
      { from: 'fd00::1', reason: 'it has no route there' },
      { reason: expect.stringContaining('too many routers') },
      { reason: expect.stringContaining('this router has no route there') },
      { kind: 'end', sent: 3, received: 0, errors: 3 },
    ]);
  });

  it('ends when it is told to, with what it has', () => {
    const machine = ping({ count: 100 });
    const events = driven<PingEvent>(
      machine,
      ({ message }, now) => machine.received(now, now, HOST, 64, icmpReply(4, message)),
      1500,
    );
    expect(events).toHaveLength(2);
    machine.finish();
    machine.finish();
    expect(machine.poll()).toMatchObject({ kind: 'tell', event: { kind: 'end', sent: 2, received: 2 } });
    expect(machine.poll()).toBeUndefined();
    expect(machine.nextDeadline()).toBeUndefined();
  });

  it('keeps nothing of requests that are long gone', () => {
    const machine = ping({ count: 10_000, interval: 200 });
    const late: Uint8Array[] = [];
    const events = driven<PingEvent>(machine, ({ message, sequence }, now) => {
      if (sequence === 1) late.push(icmpReply(4, message));
      if (now > 2 * REPLY_MS) machine.received(now, now, HOST, 64, late[0] ?? DATA);
    });
    expect(events.at(-1)).toMatchObject({ sent: 10_000, received: 0, duplicates: 0 });
  });
});

const route = (hops = 30) => new TracerouteMachine({ family: 4, identifier: 77, hops, data: DATA }, 0);

describe('traceroute', () => {
  it('tells each router with its times, the one that is mute, and the host', () => {
    const machine = route();
    const limits: number[] = [];
    const events = driven<TracerouteEvent>(machine, ({ message, hopLimit }, now) => {
      limits.push(hopLimit);
      if (hopLimit === 1) machine.received(now + 2, now + 1, ROUTER, 64, icmpError(4, message, 11, 0));
      if (hopLimit === 3) machine.received(now + 9, now + 8, HOST, 62, icmpReply(4, message));
    });
    expect(limits).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
    expect(events).toEqual([
      { kind: 'hop', hop: 1, probes: Array(3).fill({ from: ROUTER, ms: 1 }) },
      { kind: 'hop', hop: 2, probes: [{}, {}, {}] },
      { kind: 'hop', hop: 3, probes: Array(3).fill({ from: HOST, ms: 8 }) },
      { kind: 'end', reached: true, hops: 3 },
    ]);
  });

  it('ends where somebody says that it goes no farther, and at the last hop', () => {
    const machine = route();
    const events = driven<TracerouteEvent>(machine, ({ message }, now) =>
      machine.received(now, now, ROUTER, 64, icmpError(4, message, 3, 13)),
    );
    expect(events).toMatchObject([
      { hop: 1, probes: [{ from: ROUTER, reason: 'a packet filter forbids it' }, {}, {}] },
      { kind: 'end', reached: false, hops: 1 },
    ]);
    expect(driven<TracerouteEvent>(route(2), () => undefined).at(-1)).toEqual({ kind: 'end', reached: false, hops: 2 });
  });

  it('ends at once when this router itself refuses, and when it is told to', () => {
    const machine = route();
    const events = driven<TracerouteEvent>(machine, ({ sequence }, now) =>
      machine.refused(now, sequence, { code: 'EMSGSIZE', mtu: 1300 }),
    );
    expect(events.at(-1)).toEqual({ kind: 'end', reached: false, hops: 1, pathMtu: 1300 });
    const other = route();
    driven<TracerouteEvent>(other, () => undefined, 100);
    other.finish(200);
    expect(other.poll()).toMatchObject({ event: { kind: 'hop', hop: 1 } });
    expect(other.poll()).toMatchObject({ event: { kind: 'end', reached: false, hops: 1 } });
  });

  it('takes no answer of an earlier hop for one of the present', () => {
    const machine = route(2);
    let first: Uint8Array | undefined;
    const events = driven<TracerouteEvent>(machine, ({ message, hopLimit }, now) => {
      first ??= message;
      if (hopLimit === 2) machine.received(now, now, ROUTER, 64, icmpError(4, first, 11, 0));
    });
    expect(events[1]).toEqual({ kind: 'hop', hop: 2, probes: [{}, {}, {}] });
  });
});
