import { describe, expect, it } from 'vitest';
import { FAST_ESP, Harness, LEFT, LEFT_ADDRESS, net, PATH, problems, RIGHT } from './harness.ts';

const psk = (text: string) => ({ authentication: { kind: 'psk', key: Buffer.from(text) } }) as const;

describe('IKE_AUTH that fails', () => {
  it('because of different pre-shared keys says so at both ends, and leaves nothing', () => {
    const harness = new Harness({ left: psk('one'), right: psk('another') }).connect();
    expect(harness.last('left', 'ike-down').failure).toMatchObject({
      step: 'authentication',
      reason: 'the peer does not accept our identity left.example with our pre-shared key',
    });
    expect(harness.last('right', 'ike-down').failure).toMatchObject({
      step: 'authentication',
      reason: 'the peer left.example has another pre-shared key than this side',
    });
    expect(harness.all('left', 'child-up').length + harness.all('right', 'child-up').length).toBe(0);
    expect(harness.right.counters.authenticationFailed).toBe(1);
    harness.run(100_000);
    expect(harness.left.views().length + harness.right.views().length).toBe(0);
  });

  it('never says a key or a part of one', () => {
    const harness = new Harness({ left: psk('hunter2secret'), right: psk('swordfish42') }).connect();
    const text = JSON.stringify([harness.events.left, harness.events.right]);
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('swordfish');
  });

  it('because the caller is not the one expected names both identities', () => {
    const harness = new Harness({ left: { localId: { kind: 'email', value: 'eve\n@example.org' } } }).connect();
    expect(harness.last('right', 'ike-down').failure.reason).toBe(
      'the peer calls itself eve\\x0a@example.org, but left.example is expected',
    );
    expect(harness.last('left', 'ike-down').failure.reason).toContain('does not accept our identity');
  });

  it('because the responder is not the one expected tells the responder', () => {
    const harness = new Harness({ right: { localId: { kind: 'fqdn', value: 'other.example' } } }).connect();
    expect(harness.last('left', 'ike-down').failure.reason).toBe(
      'the peer calls itself other.example, but right.example is expected',
    );
    expect(harness.last('right', 'ike-down').failure.step).toBe('authentication');
    expect(harness.tables.left.children.size + harness.tables.right.children.size).toBe(0);
    expect(harness.log.at(-2)).toBe('left: INFORMATIONAL request 2');
  });

  it('answers a repeated request with the same refusal', () => {
    const harness = new Harness({ left: psk('one'), right: psk('another') });
    harness.initiate();
    harness.pass('left');
    harness.pass('right');
    const request = harness.pass('left');
    const refusal = harness.take('right');
    harness.deliver(request);
    expect(harness.take('right').datagram).toEqual(refusal.datagram);
    expect(harness.all('right', 'ike-down')).toHaveLength(1);
  });

  it('for the child alone ends the IKE SA too, and says why at both ends: ESP proposals', () => {
    const harness = new Harness({ right: { espProposals: [{ ...FAST_ESP, encryption: 'aes256gcm16' }] } }).connect();
    expect(harness.last('left', 'ike-down').failure.reason).toContain('offered was aes128gcm16');
    expect(harness.last('right', 'ike-down').failure.reason).toContain('nearest comes aes256gcm16');
  });

  it('for the child alone ends the IKE SA too, and says why at both ends: traffic selectors', () => {
    const harness = new Harness({ right: { localSelectors: [net('10.9.0')] } }).connect();
    expect(harness.last('left', 'ike-down').failure).toMatchObject({
      step: 'traffic selectors',
      reason: 'the peer refuses traffic of 10.1.0.0-10.1.0.255 to 10.2.0.0-10.2.0.255 (TS_UNACCEPTABLE)',
    });
    expect(harness.last('right', 'ike-down').failure.reason).toBe(
      'the peer wants 10.2.0.0-10.2.0.255 here to 10.1.0.0-10.1.0.255 there; ' +
        'set up is 10.9.0.0-10.9.0.255 here to 10.1.0.0-10.1.0.255 there',
    );
  });

  it('because one end wants transport mode and the other tunnel mode', () => {
    const wants = new Harness({ left: { mode: 'transport' } }).connect();
    expect(wants.last('left', 'ike-down').failure.step).toMatch(/child SA|traffic selectors/);
    const gets = new Harness({ right: { mode: 'transport' } }).connect();
    expect(gets.last('right', 'ike-down').failure.reason).toBe(
      'transport mode is set here, and the peer wants tunnel mode',
    );
  });

  it('because port 4500 is blocked says that IKE_SA_INIT was answered', () => {
    const harness = new Harness({ left: { forceEncapsulation: true } });
    harness.initiate();
    harness.pass('left');
    harness.pass('right');
    harness.faults = { loss: 1 };
    harness.flying = [];
    harness.run(100_000);
    expect(harness.last('left', 'ike-down').failure).toMatchObject({ step: 'IKE_AUTH' });
    expect(harness.last('left', 'ike-down').failure.remedy).toContain('UDP port 4500');
    expect(harness.last('right', 'ike-down').failure.reason).toContain('its IKE_AUTH never came');
    expect(harness.left.idle && harness.right.idle).toBe(true);
  });
});

describe('IKE_AUTH with several connections', () => {
  it('takes the key by the identity of the caller', () => {
    const other = { ...RIGHT, name: 'other', remoteId: { kind: 'fqdn', value: 'other.example' }, ...psk('x') } as const;
    const harness = new Harness({ rightOptions: { connections: [other, RIGHT] } }).connect();
    expect(problems(harness)).toEqual([]);
    expect(harness.last('right', 'ike-up').connection).toBe('branch');
  });

  it('takes the connection whose networks fit, of two with one identity and key', () => {
    const other = { ...RIGHT, name: 'other', localSelectors: [net('10.77.0')] };
    const harness = new Harness({ rightOptions: { connections: [other, RIGHT] } }).connect();
    expect(problems(harness)).toEqual([]);
    expect(harness.last('right', 'ike-up').connection).toBe('branch');
  });

  it('matches names without regard to case, and addresses as identities', () => {
    const address = { kind: 'ipv4', value: '192.0.2.1' } as const;
    const upper = { kind: 'fqdn', value: 'RIGHT.example' } as const;
    const { localId: _, ...anonymous } = LEFT;
    const harness = new Harness({
      leftOptions: { connections: [{ ...anonymous, remoteId: upper }] },
      right: { remoteId: address },
    }).connect();
    expect(problems(harness)).toEqual([]);
  });

  it('narrows the networks to what both ends have', () => {
    const harness = new Harness({
      left: { localSelectors: [net('10.1.0'), net('10.1.1')] },
      right: { localSelectors: [net('10.2.0'), net('10.3.0')] },
    }).connect();
    expect(harness.child('left').localSelectors).toEqual([net('10.1.0')]);
    expect(harness.child('left').remoteSelectors).toEqual([net('10.2.0')]);
    expect(harness.child('right').localSelectors).toEqual([net('10.2.0')]);
    // What is left out is asked for once, and its refusal is no harm.
    const refusals = harness
      .all('left', 'trace')
      .filter(({ detail }) => detail?.includes('no child SA for further networks'));
    expect(refusals).toHaveLength(1);
    expect(problems(harness)).toEqual([]);
  });
});

describe('INITIAL_CONTACT', () => {
  it('ends the older SA of the same identity at the same address and port', () => {
    const harness = new Harness().connect();
    const old = harness.ikeId('right');
    harness.reboot('left');
    harness.now += 5000;
    harness.connect();
    expect(problems(harness)).toEqual([]);
    expect(harness.last('right', 'ike-down')).toMatchObject({ ikeId: old, failure: { step: 'INITIAL_CONTACT' } });
  });

  it('does not touch an SA of the same identity at another port: a neighbour behind the same NAT', () => {
    const harness = new Harness({ translate: (end) => ({ address: '198.51.100.1', port: end.port + 10_000 }) });
    harness.connect();
    const first = harness.live('right')[0]?.ikeId;
    harness.reboot('left');
    harness.now += 5000;
    harness.translate = (end) => ({ address: '198.51.100.1', port: end.port + 20_000 });
    harness.connect();
    expect(harness.live('right').map(({ ikeId }) => ikeId)).toEqual([first, (first ?? 0) + 1]);
  });

  it('is not taken for a restart where both call at once', () => {
    const harness = new Harness({ right: { remote: LEFT_ADDRESS } });
    const back = { local: PATH.remote, remote: PATH.local };
    harness.initiate();
    harness.right.initiate(harness.now, 'branch', back);
    harness.drain();
    for (const message of ['request', 'response']) {
      for (const side of ['left', 'right'] as const) harness.pass(side, `IKE_SA_INIT ${message}`);
      harness.now += 10;
    }
    // Neither has the other's yet when it says that it knows of none; then the one is lost and sent again.
    const late = harness.take('left', 'IKE_AUTH request');
    for (const side of ['right', 'left'] as const) harness.pass(side, 'IKE_AUTH');
    harness.now += 500;
    harness.deliver(late);
    harness.deliverAll();
    expect(harness.all('right', 'trace').filter(({ detail = '' }) => detail.includes('INITIAL_CONTACT'))).toHaveLength(
      2,
    );
    expect([...harness.all('left', 'ike-down'), ...harness.all('right', 'ike-down')]).toEqual([]);
    expect([harness.live('left').length, harness.live('right').length]).toEqual([2, 2]);
  });

  it('is not said when another SA with this peer stands', () => {
    const harness = new Harness().connect();
    harness.left.initiate(harness.now, 'office', PATH);
    harness.deliverAll();
    expect(harness.live('right')).toHaveLength(2);
    expect(harness.live('left')).toHaveLength(2);
  });
});
