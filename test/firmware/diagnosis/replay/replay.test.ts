import { describe, expect, it } from 'vitest';
import { CaptureError } from '../../../../firmware/diagnosis/decode/capture-types.ts';
import type { DecodeOptions } from '../../../../firmware/diagnosis/decode/decode-options.ts';
import type { Diagnosis } from '../../../../firmware/diagnosis/diagnosis.ts';
import { Replay, replayCapture } from '../../../../firmware/diagnosis/replay/replay.ts';
import { inChunks } from '../../../support/capture-builder.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { HEALTHY_TALKS, IKE_CASES, type Talk } from '../ike-cases.ts';
import { HEALTHY_WIRES, REPLAY_CASES } from '../replay-cases.ts';
import { counted, DEMANDS_PAP, PPP, Wire } from './wire.ts';

async function judge(wire: Wire, options: DecodeOptions = {}): Promise<Diagnosis> {
  return (await replayCapture(inChunks(wire.file()), 'x.pcap', options)).diagnosis;
}

describe('a failure on the wire', () => {
  it.each(REPLAY_CASES)('is told as %s, and as nothing else', async (id, wire) => {
    expect((await judge(wire())).findings.map((finding) => finding.id)).toEqual([id]);
  });

  it.each(HEALTHY_WIRES)('is none: %s', async (_what, wire) => {
    expect((await judge(wire())).findings).toEqual([]);
  });
});

describe('a failure of IKE or ESP', () => {
  const judgeTalk = (talk: Talk): readonly string[] => {
    const replay = new Replay();
    for (const message of talk.messages) replay.receive(message);
    return replay.end('x.pcap').findings.map(({ id }) => id);
  };

  it.each(IKE_CASES)('is told as %s, and as nothing else', (id, talk) => {
    expect(judgeTalk(talk())).toEqual([id]);
  });

  it.each(HEALTHY_TALKS)('is none: %s', (_what, talk) => {
    expect(judgeTalk(talk())).toEqual([]);
  });
});

describe('the ladder of a capture', () => {
  it('says how far it came, with the frames', async () => {
    const wire = new Wire().session().lcp(DEMANDS_PAP).ppp('client', PPP.pap, 1, counted('alice')).again(4);
    const { steps, state } = await judge(wire);
    const of = Object.fromEntries(steps.map((step) => [step.step, step.state]));
    expect(state).toBe('failed');
    expect(of).toMatchObject({ 'l2tp-tunnel': 'ok', 'l2tp-session': 'ok', lcp: 'ok', ipcp: 'not reached' });
    expect(steps.find(({ step }) => step === 'lcp')?.evidence).toEqual(['LCP opened at frame 12']);
  });

  it('tells what a secret says of the proofs', async () => {
    const wire = new Wire()
      .sccrq({ challenge: new Uint8Array(16) })
      .sccrp({ challengeResponse: new Uint8Array(16) })
      .stop('client', 4);
    const { steps } = await judge(wire, { secrets: [Buffer.from('the secret')] });
    expect(JSON.stringify(steps)).toContain('challenge response: wrong for this secret');
  });
});

describe('a capture that was tampered with', () => {
  it('never makes it throw, whatever its octets say', async () => {
    const seed = 20_261_126;
    const random = new SeededRandom(seed);
    for (const [id, wire] of REPLAY_CASES) {
      const file = wire().file();
      for (let times = 0; times < 5; times += 1) {
        const octets = file.slice();
        // Behind the header of the file, or there is no capture.
        for (const octet of random.bytes(8)) octets[24 + ((octet * 257) % (octets.length - 24))] = octet;
        await replayCapture(inChunks(octets), id).catch((error: unknown) => {
          if (!(error instanceof CaptureError)) throw new Error(`seed ${seed}, ${id}: ${error}`);
        });
      }
    }
  });
});
