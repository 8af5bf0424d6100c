import { describe, expect, it } from 'vitest';
import type { DecodeOptions } from '../../../../firmware/diagnosis/decode/decode-options.ts';
import type { Diagnosis } from '../../../../firmware/diagnosis/diagnosis.ts';
import { replayCapture } from '../../../../firmware/diagnosis/replay/replay.ts';
import { inChunks } from '../../../support/capture-builder.ts';
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
