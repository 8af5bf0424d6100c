import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replayCapture } from '../../../firmware/diagnosis/replay/replay.ts';
import { CAPTURE_CASES } from './capture-cases.ts';

const FOLDER = join(import.meta.dirname, '../../diagnosis/captures');

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
