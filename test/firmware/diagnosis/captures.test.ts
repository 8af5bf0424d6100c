import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replayCapture } from '../../../firmware/diagnosis/replay/replay.ts';
import { CAPTURE_CASES } from './capture-cases.ts';

const FOLDER = join(import.meta.dirname, '../../diagnosis/captures');

/** What the decoder is held against: sessions that came up and some that did not, one after the other. */
const OF_PEERS = join(import.meta.dirname, 'captures');

describe('a capture of many attempts', () => {
  it.each([
    ['xl2tpd', ['auth-691', 'ipv6cp-refused']],
    ['l2tpns', ['tunnel-secret-wrong', 'hung-up-authenticating']],
  ])('of %s is blamed for what failed, and not for what came up', async (name, ids) => {
    const { diagnosis } = await replayCapture(createReadStream(join(OF_PEERS, `${name}.pcap`)), name);
    expect(diagnosis.findings.map((finding) => finding.id)).toEqual(ids);
    expect(diagnosis.steps.find(({ step }) => step === 'l2tp-session')).toMatchObject({ state: 'ok' });
  });
});

describe('a failure provoked on a peer of the lab', () => {
  it.each(CAPTURE_CASES)('%s is told as %s', async (name, id) => {
    const { diagnosis, fault } = await replayCapture(createReadStream(join(FOLDER, `${name}.pcap`)), name);
    expect(fault).toBeUndefined();
    expect(diagnosis.findings.map((finding) => finding.id)).toEqual([id]);
  });

  it('has a capture, and every capture is judged', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(CAPTURE_CASES.map(([name]) => `${name}.pcap`).sort());
  });
});
