import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_CONFIGURATION } from '../../../firmware/config/empty.ts';
import { ResolvedNames } from '../../../firmware/network/resolved-names.ts';
import { UplinkResolver } from '../../../firmware/router/uplink-resolver.ts';
import { DataPlaneDispatch } from '../../../firmware/vpn/data-plane-dispatch.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { makeStateDir } from '../api/fake-router.ts';
import { FakeDataPlane } from '../vpn/fake-data-plane.ts';

/** Answers each query with one A record for the name that was asked for. */
class AnsweringDataPlane extends FakeDataPlane {
  override sendDatagram(socket: number, path: Parameters<FakeDataPlane['sendDatagram']>[1], bytes: Uint8Array): void {
    super.sendDatagram(socket, path, bytes);
    const answer = Uint8Array.of(...bytes, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7);
    answer.set([0x81, 0x80], 2);
    answer.set([0, 1], 6);
    setImmediate(() => this.listener({ kind: 'datagram', socket, path, bytes: answer, interfaceIndex: 0 }));
  }
}

let stateDir: ReturnType<typeof makeStateDir>;
let names: ResolvedNames;
let resolver: UplinkResolver;
beforeEach(() => {
  stateDir = makeStateDir();
  names = new ResolvedNames(stateDir.path);
  resolver = new UplinkResolver({
    dispatch: new DataPlaneDispatch(new AnsweringDataPlane(), () => undefined),
    clock: new SimulatedClock(),
    random: new SeededRandom(1),
    mark: 1,
    names,
    resolvConf: async () => 'nameserver 192.0.2.53\n',
  });
});
afterEach(() => stateDir.remove());

describe('a name', () => {
  it('of a server is remembered for the day when DNS is down', async () => {
    expect(await resolver.resolve('vpn.example', EMPTY_CONFIGURATION)).toEqual(['192.0.2.7']);
    expect(names.get('vpn.example')).toEqual(['192.0.2.7']);
  });

  it('that somebody only asks about is not', async () => {
    expect(await resolver.lookUp('www.example', EMPTY_CONFIGURATION)).toEqual(['192.0.2.7']);
    expect(names.get('www.example')).toEqual([]);
    expect(await resolver.lookUp('10.0.0.1', EMPTY_CONFIGURATION)).toEqual(['10.0.0.1']);
  });
});
