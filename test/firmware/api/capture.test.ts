import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startCapture } from '../../../firmware/api/capture-client.ts';
import type { CaptureQuery } from '../../../firmware/api/capture-query.ts';
import { captureLimits } from '../../../firmware/diagnosis/capture/capture-limits.ts';
import { MAX_BACKLOG } from '../../../firmware/diagnosis/capture/capture-run.ts';
import { CaptureReader } from '../../../firmware/diagnosis/decode/capture-reader.ts';
import { MAX_CAPTURES } from '../../../firmware/router/capture-desk.ts';
import { CaptureBench } from './capture-bench.ts';
import { rawCall } from './raw-call.ts';

let bench: CaptureBench;
let gone: AbortController;
beforeEach(async () => {
  bench = new CaptureBench();
  gone = new AbortController();
  await bench.start();
});
afterEach(async () => {
  gone.abort();
  await bench.remove();
});

async function started(name: string, query: CaptureQuery = {}) {
  const capture = await startCapture(bench.stateDir.path, name, query, gone.signal);
  if (!capture.ok) throw new Error(capture.reason);
  return capture;
}

async function packetsOf(chunks: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const reader = new CaptureReader();
  const packets: Uint8Array[] = [];
  for await (const chunk of chunks) for (const { bytes } of reader.push(chunk)) packets.push(bytes.slice());
  reader.end();
  return packets;
}

describe('a capture by the control API', () => {
  it('streams what passes, ends when it is asked to, and says how it went', async () => {
    const capture = await started('hq', { seconds: 60, snap: 100 });
    expect(bench.router.askedCaptures).toEqual([
      { name: 'hq', outside: false, limits: captureLimits({ seconds: 60, snap: 100 }) },
    ]);
    for (const octet of [1, 2, 3]) bench.captures.pass('l2tp-hq', Uint8Array.of(octet));
    const packets = packetsOf(capture.chunks);
    await capture.stop();
    expect((await packets).map(([octet]) => octet)).toEqual([1, 2, 3]);
    expect(capture.end()).toMatchObject({ reason: 'stopped', packets: 3, lost: 0 });
    expect(bench.captures.running).toBe(0);
    expect(bench.logged).toEqual([
      'a capture of hq begins on l2tp-hq',
      'the capture of hq has ended, it was stopped: 3 packets, 0 lost',
    ]);
  });

  it('ends by itself with its limit', async () => {
    const capture = await started('eth0', { packets: 2, outside: true });
    expect(bench.router.askedCaptures[0]?.outside).toBe(true);
    for (let count = 0; count < 5; count += 1) bench.captures.pass('eth0', new Uint8Array(60));
    expect(await packetsOf(capture.chunks)).toHaveLength(2);
    expect(capture.end()).toMatchObject({ reason: 'packets', packets: 2 });
  });

  it('ends at once when its reader goes', async () => {
    await started('eth0');
    expect(bench.captures.running).toBe(1);
    gone.abort();
    await vi.waitFor(() => expect(bench.captures.running).toBe(0));
  });

  it('keeps no more than so much for a reader that takes nothing', async () => {
    await started('eth0');
    const packet = new Uint8Array(60_000);
    const waiting = () => bench.desk.running > 0;
    let before = -1;
    // Until the router takes no more: the simulated kernel then has as many packets as it can keep.
    await vi.waitFor(
      () => {
        for (let count = 0; count < 50; count += 1) bench.captures.pass('eth0', packet);
        const lost = bench.captures.lost('eth0');
        const steady = lost > 0 && lost - before === 50;
        before = lost;
        expect(steady && waiting()).toBe(true);
      },
      { timeout: 20_000, interval: 20 },
    );
    expect(bench.captures.taken('eth0') * packet.length).toBeLessThan(8 * MAX_BACKLOG);
  });

  it('is one of a few at a time', async () => {
    for (let count = 0; count < MAX_CAPTURES; count += 1) await started('eth0');
    await expect(started('eth0')).rejects.toThrow(/captures run already.*: wait until one ends, or end one/);
    gone.abort();
    await vi.waitFor(() => expect(bench.desk.running).toBe(0));
    gone = new AbortController();
    await started('eth0');
  });

  it('that cannot be made is refused in words, and holds no place', async () => {
    const refused = await startCapture(bench.stateDir.path, 'eth7', {}, gone.signal);
    expect(refused).toMatchObject({ ok: false, reason: expect.stringMatching(/no network device eth7/) });
    expect(bench.desk.running).toBe(0);
  });

  it('is not given to who follows links, nor with limits beyond the bounds', async () => {
    const call = (method: string, path: string) => rawCall(bench.stateDir.path, method, path);
    expect((await call('GET', '/v1/capture/eth0')).status).toBe(404);
    for (const query of ['seconds=0', 'seconds=86401', 'packets=x', 'octets=1', 'snap=63', 'octets=1e99']) {
      expect((await call('POST', `/v1/capture/eth0?${query}`)).status, query).toBe(400);
    }
    expect((await call('DELETE', '/v1/captures/77')).status).toBe(404);
    expect((await call('DELETE', '/v1/captures/x')).status).toBe(400);
    expect(bench.router.askedCaptures).toEqual([]);
  });

  it('has no end in it when the router goes first', async () => {
    const capture = await started('eth0');
    const packets = packetsOf(capture.chunks);
    packets.catch(() => undefined);
    await bench.end();
    await expect(packets).rejects.toThrow();
    expect(capture.end()).toBeUndefined();
    expect(bench.captures.running).toBe(0);
  });
});
