/** Packets that wait on the TUN of a connection between networks for the SA that will carry them. */
import { describe, expect, it } from 'vitest';
import { carry, type EspEnd, TUN, tunnelPair } from './esp-bench.ts';
import { ipv4Packet } from './packets.ts';

const packetTo = (last: number): Uint8Array => ipv4Packet({ source: '10.1.0.5', destination: `10.2.0.${last}` });

/** The left end holds packets, and has neither policy nor pair. */
function armed(): readonly [EspEnd, EspEnd] {
  const [left, right] = tunnelPair();
  left.forwarder.removePolicy(1);
  left.forwarder.table.addInterface({ id: TUN, hold: { packets: 8, milliseconds: 1000 } });
  return [left, right];
}

function up(end: EspEnd): void {
  end.ipPolicy(1);
  const selector = { protocol: 0, firstPort: 0, lastPort: 0xffff };
  const localSelectors = [{ ...selector, firstAddress: '10.1.0.0', lastAddress: '10.1.255.255' }];
  const remoteSelectors = [{ ...selector, firstAddress: '10.2.0.0', lastAddress: '10.2.255.255' }];
  end.putSa(end.sa(1, 1, { mode: 'tunnel', localSelectors, remoteSelectors }));
  end.ipPolicy(1, 1);
}

describe('packets on the TUN of a connection that holds them', () => {
  it('are told of once, wait while there is a policy without a pair, too, and go in their order by the pair', () => {
    const [left, right] = armed();
    left.packet(packetTo(1));
    left.ipPolicy(1);
    left.packet(packetTo(2));
    expect(left.events).toEqual([{ kind: 'traffic', interface: TUN }]);
    expect([left.sent, left.drops(), left.policyDrops(1)]).toEqual([[], {}, {}]);
    up(left);
    carry(left, right);
    expect(right.delivered.map(({ packet }) => packet)).toEqual([packetTo(1), packetTo(2)]);
    expect(left.forwarder.nextDeadline()).toBeUndefined();
  });

  it('wait again when the pair is gone, and are told of again when the policy is, whatever waits since', () => {
    const [left] = armed();
    up(left);
    left.forwarder.sas.remove(1);
    left.ipPolicy(1);
    left.packet(packetTo(1));
    left.packet(packetTo(2));
    expect(left.events).toHaveLength(1);
    left.forwarder.removePolicy(1);
    left.packet(packetTo(3));
    expect(left.events).toHaveLength(2);
    expect(left.sent).toEqual([]);
    expect(left.drops()).toEqual({});
  });
});
