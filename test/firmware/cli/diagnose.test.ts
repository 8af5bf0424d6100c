import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { diagnosisText } from '../../../firmware/cli/diagnosis-text.ts';
import type { Diagnosis } from '../../../firmware/diagnosis/diagnosis.ts';
import { encodeControlMessage } from '../../../firmware/protocol/l2tp/control-message.ts';
import { ipv4, pcapFile, udp } from '../../support/capture-builder.ts';
import { culvert } from './culvert.ts';

const folder = mkdtempSync(join(tmpdir(), 'cv-diagnose-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SCCRQ = ipv4(
  udp(
    encodeControlMessage({ tunnelId: 0, sessionId: 0, ns: 0, nr: 0 }, 'SCCRQ', {
      protocolVersion: { version: 1, revision: 0 },
      hostName: 'lac1',
      framingCapabilities: 3,
      assignedTunnelId: 17,
    }),
  ),
);

function capture(octets: Uint8Array): string {
  const file = join(folder, 'x.pcap');
  writeFileSync(file, octets);
  return file;
}

const three = pcapFile([{ bytes: SCCRQ }, { bytes: SCCRQ }, { bytes: SCCRQ }]);

describe('culvert diagnose --replay', () => {
  it('judges a capture and ends with 0, whatever it says', async () => {
    const { code, stdout } = await culvert(['diagnose', '--replay', capture(three), '--json'], folder);
    expect(code).toBe(0);
    const { name, state, findings } = JSON.parse(stdout) as Diagnosis;
    expect({ name, state }).toEqual({ name: 'x.pcap', state: 'failed' });
    expect(findings.map(({ id }) => id)).toEqual(['l2tp-silent']);
  });

  it('says what a capture that is cut short came to, and that it is', async () => {
    const { code, stdout, stderr } = await culvert(['diagnose', '--replay', capture(three.subarray(0, -5))], folder);
    expect(code).toBe(0);
    expect(stdout).toContain('L2TP tunnel');
    expect(stderr).toMatch(/cannot be read to its end/);
  });

  it('ends with 1 when there is no capture', async () => {
    const { code, stderr } = await culvert(['diagnose', '--replay', capture(Buffer.from('no capture'))], folder);
    expect(code).toBe(1);
    expect(stderr).toMatch(/is no capture/);
  });

  it('takes a name or a capture, and not both', async () => {
    for (const words of [[], ['hq', '--replay', 'x.pcap']]) {
      expect((await culvert(['diagnose', ...words], folder)).code).toBe(2);
    }
    expect((await culvert(['diagnose', 'hq', '--secret', 's'], folder)).stderr).toContain(
      '--secret goes with --replay',
    );
  });
});

describe('a diagnosis for people', () => {
  it('keeps to 80 columns', () => {
    const long = 'a sentence of many words that goes on '.repeat(8).trim();
    const lines = diagnosisText({
      name: 'hq',
      state: 'failed',
      steps: [
        { step: 'link', state: 'ok', evidence: [long] },
        { step: 'ppp-authentication', state: 'not reached', evidence: [] },
      ],
      findings: [{ id: 'unknown', step: 'link', seen: long, cause: long, remedy: long }],
    });
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines.join(' ').replace(/\s+/g, ' ')).toContain(`Remedy: ${long}.`);
  });

  it('gives each finding its heading', () => {
    const words = { seen: 'a', cause: 'b', remedy: 'c' };
    const finding = { id: 'pool-empty', step: 'ipcp', ...words } as const;
    const text = diagnosisText({ name: 'hq', state: 'failed', steps: [], findings: [finding] });
    expect(text).toContain('IPCP: the address pool of the server is empty (pool-empty)');
  });

  it('says when nothing is wrong', () => {
    const text = diagnosisText({ name: 'hq', state: 'up', steps: [], findings: [] }).join('\n');
    expect(text).toContain('Nothing was found that is wrong.');
  });
});
