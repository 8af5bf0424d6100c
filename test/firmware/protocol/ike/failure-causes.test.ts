/** Every way to fail that a program chooses its next attempt by, at both ends and in both versions. */
import { describe, expect, it } from 'vitest';
import type { IkeConnection, IkeOutput } from '../../../../firmware/protocol/ike/ike-types.ts';
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import { branch, connect, headOffice, initiate, l2tpClient, l2tpServer, makePair, psk, range } from './v1/setup.ts';
import { Harness, RIGHT_ADDRESS } from './v2/harness.ts';

const OTHER_ID = { kind: 'fqdn', value: 'somebody.else' } as const;
const OTHER_NETWORK = [range('10.9.0.0', '10.9.0.255')];
const OTHER_IKE = [{ encryption: 'aes256', integrity: 'sha1', prf: 'sha1', group: 'modp2048' }];
const OTHER_ESP = [{ encryption: 'aes256', integrity: 'md5', esn: false }];

type Seen = readonly (string | undefined)[];

function seen(outputs: readonly IkeOutput[]): Seen {
  const downs = outputs.flatMap((output) => (output.kind === 'ike-down' ? [output.failure] : []));
  for (const failure of downs) expectSentences(failure);
  return downs.map(({ step, cause }) => `${step}: ${cause}`);
}

/** One sentence each, without full stop, and short enough to be read. */
function expectSentences({ reason, remedy }: Failure): void {
  for (const text of [reason, remedy]) {
    expect(text).toMatch(/^\S.*[^.\s]$/);
    expect(text.length).toBeLessThan(400);
  }
}

describe('IKEv2', () => {
  function ends(harness: Harness): readonly Seen[] {
    harness.run(120_000);
    return [seen(harness.events.left), seen(harness.events.right)];
  }
  const of = (left: Partial<IkeConnection>) => ends(new Harness({ left }).connect());

  it.each<[string, Partial<IkeConnection>, string, string]>([
    ['another key', psk('other'), 'authentication: refused', 'authentication: refused'],
    ['another identity', { localId: OTHER_ID }, 'authentication: refused', 'authentication: refused'],
    ['a wrong responder', { remoteId: OTHER_ID }, 'authentication: refused', 'authentication: refused'],
    ['other IKE algorithms', { ikeProposals: OTHER_IKE }, 'IKE_SA_INIT: no-proposal', 'IKE_SA_INIT: no-proposal'],
    ['other ESP algorithms', { espProposals: OTHER_ESP }, 'child SA: no-proposal', 'child SA: no-proposal'],
    ['other networks', { localSelectors: OTHER_NETWORK }, 'traffic selectors: refused', 'traffic selectors: refused'],
    ['another mode', { mode: 'transport' }, 'traffic selectors: refused', 'child SA: refused'],
  ])('with %s says what and by whom', (_, left, caller, called) => {
    expect(of(left)).toEqual([[caller], [called]]);
  });

  it('without an answer is silence, also where the network says that nobody listens', () => {
    const silent = new Harness({ faults: { loss: 1 } });
    silent.initiate();
    expect(ends(silent)).toEqual([['IKE_SA_INIT: silence'], []]);
    const deaf = new Harness({ faults: { loss: 1 } });
    deaf.initiate();
    deaf.left.pathError(deaf.now, { address: RIGHT_ADDRESS, port: 500 }, 'ECONNREFUSED');
    expect(ends(deaf)).toEqual([['IKE_SA_INIT: silence'], []]);
  });

  it('with a peer that went away is silence; one that says so is no cause', () => {
    const gone = new Harness({ left: { dpdSeconds: 10 } }).connect();
    gone.faults = { loss: 1 };
    expect(ends(gone)[0]).toEqual(['liveness: silence']);
    const secrets = { leftOptions: { qcdSecret: new Uint8Array(32) }, rightOptions: { qcdSecret: new Uint8Array(32) } };
    const restarted = new Harness({ ...secrets, left: { dpdSeconds: 10 } }).connect();
    restarted.reboot('right');
    expect(ends(restarted)[0]).toEqual(['liveness: undefined']);
    expect(restarted.last('left', 'ike-down').failure.reason).toContain('restarted');
  });

  it('with a caller that was restarted ends its older SA, even within one millisecond', () => {
    const harness = new Harness().connect();
    harness.reboot('left');
    harness.connect();
    expect(seen(harness.events.right)).toEqual(['INITIAL_CONTACT: undefined']);
  });
});

describe('IKEv1', () => {
  it.each<[string, IkeConnection, IkeConnection, string, string]>([
    ['another key', l2tpClient(psk('other')), l2tpServer(), 'Main Mode 5: refused', 'Main Mode 5: refused'],
    [
      'another identity',
      l2tpClient({ localId: OTHER_ID }),
      l2tpServer({ remoteId: { kind: 'fqdn', value: 'branch' } }),
      'Main Mode 5: refused',
      'Main Mode 5: refused',
    ],
    [
      'a wrong responder',
      l2tpClient({ remoteId: OTHER_ID }),
      l2tpServer(),
      'Main Mode 6: refused',
      'Main Mode 6: refused',
    ],
    [
      'other IKE algorithms',
      l2tpClient({ ikeProposals: OTHER_IKE }),
      l2tpServer(),
      'Main Mode 1: no-proposal',
      'Main Mode 1: no-proposal',
    ],
    [
      'other ESP algorithms',
      l2tpClient({ espProposals: OTHER_ESP }),
      l2tpServer(),
      'Quick Mode: no-proposal',
      'Quick Mode 1: no-proposal',
    ],
    [
      'other networks',
      branch({ localSelectors: OTHER_NETWORK }),
      headOffice(),
      'Quick Mode: refused',
      'Quick Mode 1: refused',
    ],
    ['another mode', branch(), l2tpServer(), 'Quick Mode: no-proposal', 'Quick Mode 1: refused'],
  ])('with %s says what and by whom', (_, client, server, caller, called) => {
    const pair = connect({ client, server });
    pair.network.run(60_000);
    expect([seen(pair.client.events), seen(pair.server.events)]).toEqual([[caller], [called]]);
    expect([pair.client.endpoint.idle, pair.server.endpoint.idle]).toEqual([true, true]);
  });

  it('without an answer is silence, and so is a blocked port 4500', () => {
    const silent = makePair({ faults: { loss: 1 } });
    initiate(silent);
    silent.network.run(60_000);
    expect(seen(silent.client.events)).toEqual(['Main Mode 1: silence']);
    const blocked = makePair({ clientBehindNat: true });
    blocked.network.filter = ({ path }) => path.remote.port !== 4500;
    initiate(blocked);
    blocked.network.run(60_000);
    expect(seen(blocked.client.events)).toEqual(['Main Mode 5: silence']);
  });

  it('with a peer that went away is silence', () => {
    const pair = connect();
    pair.network.faults = { loss: 1 };
    pair.network.run(60_000);
    expect(seen(pair.client.events)).toEqual(['DPD: silence']);
  });
});
