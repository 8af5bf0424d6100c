import { describe, expect, it } from 'vitest';
import { Harness, LEFT, MOVED_PATH, problems } from './harness.ts';

describe('IKE_SA_INIT and IKE_AUTH', () => {
  it('bring up an IKE SA and a child with four messages', () => {
    const harness = new Harness().connect();
    expect(harness.log).toEqual([
      'left: IKE_SA_INIT request 0',
      'right: IKE_SA_INIT response 0',
      'left: IKE_AUTH request 1',
      'right: IKE_AUTH response 1',
    ]);
    expect(problems(harness)).toEqual([]);
    const left = harness.child('left');
    const right = harness.child('right');
    expect(left.outboundSpi).toBe(right.inboundSpi);
    expect(left.outbound).toEqual(right.inbound);
    expect(left.inbound).toEqual(right.outbound);
    expect(left.localSelectors).toEqual(LEFT.localSelectors);
    expect(right.remoteSelectors).toEqual(LEFT.localSelectors);
    expect(harness.last('right', 'ike-up').peer.identity).toEqual({ kind: 'fqdn', value: 'left.example' });
    expect(harness.last('left', 'ike-up').peer.implementation).toBe('Culvert');
    expect(left.udpEncapsulation).toBe(false);
    expect(harness.last('left', 'ike-up').path).toEqual(MOVED_PATH);
  });
});
