/** Both ends call each other, at once or nearly so: nobody has started again (RFC 2407 section 4.6.3.3). */
import { describe, expect, it } from 'vitest';
import { branch, CLIENT, connect, headOffice, initiate, makePair, type Pair, psk, SERVER } from './setup.ts';

/** Packets both ways from the moment on when both ends have an SA to send on. */
function traffic({ network, client, server }: Pair, ms: number): void {
  const ready = () => client.outbound.length > 0 && server.outbound.length > 0;
  expect(network.runUntil(ready, 60_000)).toBe(true);
  for (const end = network.now + ms; network.now < end; network.run(97)) {
    network.sendEsp(client, { address: SERVER, port: 4500 });
    network.sendEsp(server, { address: CLIENT, port: 4500 });
  }
}

/** Both ends, each with the other as its remote; the server calls `apart` ms after the client, or before it. */
function bothCall(seed: number, apart: number, loss: number, aggressive: boolean): Pair {
  const server = headOffice({ remote: CLIENT, aggressive });
  const pair = makePair({ seed, client: branch({ aggressive }), server, faults: { jitterMs: 10, loss } });
  const { network } = pair;
  const calls = [
    () => void initiate(pair),
    () => void pair.server.endpoint.initiate(network.now, 'head-office', pair.server.to(CLIENT)),
  ];
  if (apart < 0) calls.reverse();
  calls[0]?.();
  network.run(Math.abs(apart));
  calls[1]?.();
  return pair;
}

describe('two that call each other (IKEv1)', () => {
  for (const aggressive of [false, true]) {
    for (const loss of [0, 0.15]) {
      const mode = aggressive ? 'Aggressive Mode' : 'Main Mode';
      it(`in ${mode}: neither takes the other's call for a restart, with ${loss * 100} % of messages lost`, () => {
        for (let apart = -120; apart <= 120; apart += 2) {
          const pair = bothCall(apart + 200, apart, loss, aggressive);
          pair.network.run(5000);
          pair.network.faults = { jitterMs: 10 };
          traffic(pair, 20_000);
          for (const host of [pair.client, pair.server]) {
            expect([apart, host.name, host.all('ike-down').map(({ failure }) => failure?.step)]).toEqual([
              apart,
              host.name,
              [],
            ]);
            expect([apart, host.name, host.espLost, host.endpoint.views().length > 0]).toEqual([
              apart,
              host.name,
              0,
              true,
            ]);
            expect([apart, host.name, host.espReceived > 200]).toEqual([apart, host.name, true]);
          }
        }
      });
    }
  }

  it('but one that has started again is believed', () => {
    const pair = connect({ client: branch(), server: headOffice() });
    const { network, server } = pair;
    const client = network.reboot(pair.client, [branch(psk('open sesame'))]);
    initiate({ ...pair, client });
    network.run(2000);
    expect(server.all('ike-down').map(({ failure }) => failure?.step)).toEqual(['INITIAL-CONTACT']);
    expect(server.endpoint.views().map(({ children }) => children.length)).toEqual([1]);
  });
});
