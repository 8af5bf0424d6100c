import { describe, expect, it } from 'vitest';
import { firstValue } from '../../../../firmware/protocol/radius/attribute-value.ts';
import { acknowledge, Bench, FIRST, SECOND } from './harness.ts';

const ONE = `${FIRST}:1813`;
const TWO = `${SECOND}:1813`;

function sessions(bench: Bench): string[] {
  return bench.asked.map(({ packet }) =>
    Buffer.from(firstValue(packet.attributes, 'acctSessionId') ?? []).toString('latin1'),
  );
}

const delays = (bench: Bench) => bench.asked.map(({ packet }) => firstValue(packet.attributes, 'acctDelayTime'));

describe('accounting', () => {
  it('goes to the port of accounting, and is over when it is acknowledged', () => {
    const bench = new Bench();
    bench.servers.set(ONE, acknowledge);
    bench.account('start', 'a');
    expect(bench.asking).toEqual([ONE]);
    expect(bench.client.recordsLeft).toBe(0);
    expect(bench.told).toEqual([]);
    expect(bench.client.nextDeadline()).toBeUndefined();
  });

  it('sent again tells how long ago it was, as a new packet', () => {
    const bench = new Bench([FIRST]);
    bench.account('start', 'a');
    bench.pass(5000);
    expect(delays(bench)).toEqual([0, 1, 3]);
    const identifiers = bench.asked.map(({ packet }) => packet.identifier);
    expect(new Set(identifiers).size).toBe(3);
  });

  it('is kept while all servers are dead, and told in order when one is back', () => {
    const bench = new Bench();
    bench.account('start', 'a');
    bench.account('start', 'b');
    bench.account('stop', 'a');
    bench.pass(600_000);
    expect(bench.client.recordsLeft).toBe(3);
    // No more than a server that is down can bear.
    expect(bench.asked.length).toBeLessThan(300);
    bench.asked.length = 0;
    bench.servers.set(TWO, acknowledge);
    bench.pass(60_000);
    expect(bench.client.recordsLeft).toBe(0);
    const told = sessions(bench).filter((_, index) => bench.asking[index] === TWO);
    expect(told.slice().sort()).toEqual(['a', 'a', 'b']);
    const last = bench.asked.at(-1);
    expect(firstValue(last?.packet.attributes ?? [], 'acctDelayTime')).toBeGreaterThan(600);
  });

  it('of one session is told one record after the other', () => {
    const bench = new Bench([FIRST]);
    bench.account('start', 'a');
    bench.account('stop', 'a');
    bench.account('start', 'b');
    expect(sessions(bench)).toEqual(['a', 'b']);
  });

  it('leaves out interim updates that a later record has overtaken', () => {
    const bench = new Bench([FIRST]);
    bench.account('start', 'a');
    bench.account('interim', 'a');
    bench.account('interim', 'a');
    bench.account('stop', 'a');
    expect(bench.client.recordsLeft).toBe(2);
  });

  it('of all sessions passes nothing and is passed by nothing', () => {
    const bench = new Bench([FIRST]);
    bench.account('on', 'all');
    bench.account('start', 'a');
    expect(sessions(bench)).toHaveLength(1);
    bench.servers.set(ONE, acknowledge);
    bench.pass(2000);
    bench.servers.delete(ONE);
    bench.account('stop', 'a');
    bench.account('off', 'all');
    expect(bench.client.recordsLeft).toBe(2);
    bench.servers.set(ONE, acknowledge);
    bench.pass(3000);
    expect(bench.client.recordsLeft).toBe(0);
    expect(sessions(bench).at(-1)).toBe('all');
  });

  it('of all sessions waits for a record that waits for another of its session', () => {
    const bench = new Bench([FIRST]);
    bench.account('start', 'a');
    bench.account('stop', 'a');
    bench.account('off', 'all');
    bench.pass(2000);
    expect(sessions(bench)).not.toContain('all');
    bench.servers.set(ONE, acknowledge);
    bench.pass(5000);
    expect(sessions(bench).slice(-2)).toEqual(['a', 'all']);
  });

  it('is bounded: what is thrown away is an interim update before all else, and is told', () => {
    const bench = new Bench([FIRST]);
    bench.account('start', 'x');
    bench.account('interim', 'x');
    for (let count = 0; count < 4096; count += 1) bench.account('start', `s${count}`);
    expect(bench.client.recordsLeft).toBe(4096);
    expect(bench.told.filter(({ kind }) => kind === 'accounting-lost')).toHaveLength(2);
  });

  it('does not make a server dead for users, nor the other way round', () => {
    const bench = new Bench([FIRST]);
    bench.account('start', 'a');
    bench.pass(20_000);
    const states = bench.client.servers.map(({ service, state }) => `${service} ${state}`);
    expect(states).toEqual(['authentication untried', 'accounting silent']);
  });
});
