import { describe, expect, it } from 'vitest';
import { diagnoseLive } from '../../../../firmware/diagnosis/live/diagnose-live.ts';
import type { LiveFacts } from '../../../../firmware/diagnosis/live/live-facts.ts';
import { noAnswerToSccrq } from '../../../../firmware/protocol/l2tp/failures.ts';
import { refusedFailure } from '../../../../firmware/protocol/ppp/authentication.ts';
import { HEALTHY, LIVE_CASES } from '../live-cases.ts';

const diagnose = (overlay: Partial<LiveFacts> = {}) => diagnoseLive({ ...HEALTHY, ...overlay });
const states = (overlay: Partial<LiveFacts>) =>
  Object.fromEntries(diagnose(overlay).steps.map(({ step, state }) => [step, state]));
const SILENT = noAnswerToSccrq({ address: '10.20.0.2', port: 1701 }, 23, undefined);
const REFUSED = refusedFailure('pap', 'alice', '');

describe('a connection that is up', () => {
  it('has nothing wrong when packets go both ways, and every step is ok', () => {
    const { findings, steps, state } = diagnose();
    expect({ findings, state }).toEqual({ findings: [], state: 'up' });
    expect(steps.filter((step) => step.state !== 'ok')).toEqual([]);
    expect(steps.map(({ step }) => step)).toContain('ipcp');
  });

  it('has steps of IPsec only where it is protected', () => {
    expect(states({})).not.toHaveProperty('ike');
    expect(states({ isProtected: true })).toHaveProperty('ike');
  });

  it('is not blamed for a few late packets', () => {
    expect(diagnose({ drops: { noRoute: 2 } }).findings).toEqual([]);
  });
});

describe('what is seen by looking', () => {
  it.each(LIVE_CASES)('is %s', (id, overlay) => {
    expect(diagnose(overlay).findings.map((finding) => finding.id)).toContain(id);
  });
});

describe('a connection that failed', () => {
  const { tunnel: _tunnel, ...without } = HEALTHY;
  const down: LiveFacts = { ...without, state: 'failed', sessions: [], ppp: [] };

  it('is told in the words of the failure, with the likely cause, and what came after was not reached', () => {
    const { findings } = diagnoseLive({ ...down, failures: [SILENT] });
    expect(findings).toMatchObject([{ id: 'l2tp-silent', remedy: SILENT.remedy }]);
    expect(findings[0]?.seen).toContain('did not answer the SCCRQ within 23 s');
    const { steps } = diagnoseLive({ ...down, failures: [SILENT] });
    const of = Object.fromEntries(steps.map(({ step, state }) => [step, state]));
    expect(of).toMatchObject({ link: 'ok', 'l2tp-tunnel': 'failed', lcp: 'not reached', traffic: 'not reached' });
  });

  it('got through every step before the one at which it failed', () => {
    const { steps } = diagnoseLive({ ...down, failures: [REFUSED] });
    const of = Object.fromEntries(steps.map(({ step, state }) => [step, state]));
    expect(of).toMatchObject({ 'l2tp-tunnel': 'ok', lcp: 'ok', 'ppp-authentication': 'failed', ipcp: 'not reached' });
  });

  it('says when the name of the server cannot be resolved now', () => {
    const addresses = { step: 'resolve', reason: 'no DNS server answered for hq.example', remedy: 'check the uplink' };
    expect(diagnoseLive({ ...down, addresses }).findings.map(({ id }) => id)).toEqual(['dns-silent']);
  });

  it('says when no route leads to the server', () => {
    const { source: _source, ...nowhere } = down;
    expect(diagnoseLive(nowhere).findings.map(({ id }) => id)).toEqual(['no-route']);
  });

  it('shows the messages of its last attempt that was logged', () => {
    const log = ['connecting', 'sent SCCRQ', 'failed: x', 'connecting', 'sent SCCRQ: again', 'connecting', 'failed'];
    const step = diagnoseLive({ ...down, log, failures: [SILENT] }).steps.find((one) => one.step === 'l2tp-tunnel');
    expect(step?.evidence).toContain('sent SCCRQ: again');
    expect(step?.evidence).not.toContain('sent SCCRQ');
  });
});

describe('a server', () => {
  it('says why its last sessions ended', () => {
    const log = [
      'session ended: user bob: IPCP: every address of the pool is in use; enlarge the pool of this server',
      'tunnel ended: 10.20.0.9:1701: hello: nothing came from 10.20.0.9:1701 for 12 s; check the path to the peer',
    ];
    const { server: _server, addresses: _addresses, ...facts } = HEALTHY;
    const diagnosis = diagnoseLive({ ...facts, kind: 'l2tp-server', ppp: [], log });
    expect(diagnosis.findings.map(({ id }) => id)).toEqual(['pool-empty', 'hello-lost']);
  });
});
