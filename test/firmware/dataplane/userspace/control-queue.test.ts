import { describe, expect, it } from 'vitest';
import {
  CONTROL_QUEUE,
  ControlQueue,
  SOCKET_STRANGERS,
  SOCKET_UNPROVEN,
  STRANGER_QUEUE,
  type Standing,
  UNPROVEN_QUEUE,
} from '../../../../firmware/dataplane/userspace/control-queue.ts';

class Bench {
  acknowledged = 0;
  readonly queue = new ControlQueue(() => this.acknowledged);

  /** @returns how many of 3000 there was room for. */
  flood(standing: Standing, socket: number): number {
    let added = 0;
    for (let count = 0; count < 3000; count++) {
      if (!this.queue.hasRoom(standing, socket)) continue;
      this.queue.add(standing, socket);
      added += 1;
    }
    return added;
  }
}

describe('what waits for the control thread', () => {
  it('leaves room for other sockets when strangers flood the two of IKE', () => {
    const bench = new Bench();
    expect([bench.flood('stranger', 500), bench.flood('stranger', 4500)]).toEqual([192, 192]);
    expect(bench.flood('stranger', 53)).toBe(STRANGER_QUEUE - 2 * SOCKET_STRANGERS);
  });

  it('leaves room for other sockets when the addresses of peers are forged', () => {
    const bench = new Bench();
    expect([bench.flood('known', 500), bench.flood('known', 4500)]).toEqual([320, 320]);
    expect(bench.flood('stranger', 53)).toBe(UNPROVEN_QUEUE - 2 * SOCKET_UNPROVEN);
  });

  it('leaves room for those who have proved who they are, whatever else waits', () => {
    const bench = new Bench();
    for (let socket = 1; socket <= 10; socket++) bench.flood('known', socket);
    expect(bench.flood('proven', 1)).toBe(CONTROL_QUEUE - UNPROVEN_QUEUE);
    expect(bench.flood('proven', 1)).toBe(0);
  });

  it('gives the share of a socket back as the control thread deals with its events, and no other', () => {
    const bench = new Bench();
    bench.flood('stranger', 1);
    bench.queue.add('proven', 2);
    bench.flood('stranger', 2);
    bench.acknowledged = SOCKET_STRANGERS + 1;
    expect([bench.flood('stranger', 2), bench.flood('stranger', 1)]).toEqual([0, SOCKET_STRANGERS]);
  });
});
