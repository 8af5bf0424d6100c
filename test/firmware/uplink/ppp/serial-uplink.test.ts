import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { ipv4Packet } from '../../dataplane/userspace/packets.ts';
import { SerialLines } from './serial-line.ts';
import { DEVICE, UplinkBench } from './uplink-bench.ts';

const OUT = ipv4Packet({
  source: '100.64.7.9',
  destination: '203.0.113.5',
  payload: Uint8Array.from({ length: 256 }, (_, octet) => octet),
});
const IN = ipv4Packet({ source: '203.0.113.5', destination: '100.64.7.9' });

async function serial(): Promise<{ readonly bench: UplinkBench; readonly lines: SerialLines }> {
  const bench = await UplinkBench.create({ uplink: {} });
  const lines = new SerialLines(bench.octetLines, new SeededRandom(2));
  bench.useLines(lines, () => lines.far.at(-1)?.turn(bench.clock.now()));
  bench.uplink.start();
  return { bench, lines };
}

describe('an uplink on a serial line', () => {
  it('comes up without a password, and carries every octet both ways, bare once LCP has said so', async () => {
    const { bench, lines } = await serial();
    await bench.up();
    expect(bench.view.addressing).toMatchObject({ address: '100.64.7.9/32', mtu: 1500 });
    expect(bench.uplink.status.peer).toBe('CONNECT 150000000');
    const [far] = lines.far;
    bench.tun.inject(OUT);
    await bench.pass(50);
    expect(far?.packets).toEqual([OUT]);
    expect(far?.controlCharacters.size).toBe(32);
    far?.send(Uint8Array.of(0x21, ...IN));
    await bench.pass(50);
    expect(bench.tun.taken()).toEqual([IN]);
  });

  it('hangs up its line, once, and dials the next one, when the call ends or the line is pulled', async () => {
    const { bench, lines } = await serial();
    await bench.up();
    lines.far[0]?.line.hangUp();
    await bench.until(() => bench.view.failure !== undefined);
    expect(bench.view.failure).toMatchObject({ step: 'line', reason: 'the line was unplugged or hung up (EIO)' });
    await bench.up();
    expect(lines.hungUp).toBe(1);
    lines.ends[1]?.({ step: 'NO CARRIER', reason: 'the network has ended the call', remedy: 'wait' });
    await bench.until(() => bench.view.failure !== undefined);
    expect(bench.view.failure?.step).toBe('NO CARRIER');
    await bench.up();
    expect(lines.hungUp).toBe(2);
    expect(lines.far).toHaveLength(3);
  });

  it('has each session counted to its end, while the data plane still knows it', async () => {
    const { bench, lines } = await serial();
    await bench.up();
    lines.far[0]?.send(Uint8Array.of(0x21, ...IN));
    await bench.pass(50);
    lines.ends[0]?.({ step: 'NO CARRIER', reason: 'the network has ended the call', remedy: 'wait' });
    await bench.until(() => bench.view.failure !== undefined);
    await bench.up();
    expect(bench.metered.map(({ octetsReceived }) => octetsReceived)).toEqual([IN.length]);
  });

  it('tells why there is no line', async () => {
    const { bench, lines } = await serial();
    lines.refusal = { step: 'SIM', reason: 'the SIM wants a PIN', remedy: 'configure it' };
    bench.uplink.start();
    await bench.up().catch(() => undefined);
    lines.far[0]?.line.hangUp();
    await bench.until(() => bench.view.failure?.step === 'SIM');
    expect(bench.view).toMatchObject({ carrier: false, failure: lines.refusal });
    expect(bench.tuns.device(DEVICE)).toBeUndefined();
  });

  it('refuses to prove itself without a password, in words', async () => {
    const bench = await UplinkBench.create({ uplink: {} });
    bench.uplink.start();
    await bench.until(() => bench.view.failure !== undefined);
    expect(bench.view.failure?.reason).toContain('no user and password are configured');
  });
});
