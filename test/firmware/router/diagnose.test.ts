import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Diagnosis } from '../../../firmware/diagnosis/diagnosis.ts';
import { RouterBench } from './router-bench.ts';

let bench: RouterBench;
beforeEach(async () => {
  bench = new RouterBench();
  await bench.network.recover();
});
afterEach(() => bench.end());

const waiting = new AbortController().signal;
const MANUAL = { start: 'manual' };

async function diagnose(name: string): Promise<Diagnosis> {
  const result = await bench.during(bench.router.diagnose(name));
  if (!result.ok) throw new Error(result.reason);
  return result.diagnosis;
}

const ids = ({ findings }: Diagnosis): readonly string[] => findings.map(({ id }) => id);

describe('the diagnosis of a running router', () => {
  it('says of a client that nobody has dialled that nobody has', async () => {
    await bench.during(bench.router.enforce(bench.configuration({ hq: MANUAL })));
    expect(ids(await diagnose('hq'))).toContain('waits-for-connect');
  });

  it('says of one that was dialled in vain which step failed', async () => {
    await bench.during(bench.router.enforce(bench.configuration({ hq: MANUAL })));
    await bench.during(bench.router.connect('hq', waiting));
    const diagnosis = await diagnose('hq');
    expect(diagnosis).toMatchObject({ name: 'hq', state: 'failed' });
    expect(ids(diagnosis)).toContain('l2tp-silent');
    const tunnel = diagnosis.steps.find(({ step }) => step === 'l2tp-tunnel');
    expect(tunnel).toMatchObject({ state: 'failed' });
    expect(tunnel?.evidence.join('\n')).toContain('sent SCCRQ');
  });

  it('notices a WAN link that is down', async () => {
    await bench.during(bench.router.enforce(bench.configuration({ hq: MANUAL })));
    await bench.links.setUp('eth0', false);
    expect(ids(await diagnose('hq'))).toContain('wan-link-down');
  });

  it('asks for the name of the server, and says when no DNS server is known', async () => {
    await bench.during(bench.router.enforce(bench.configuration({ hq: { ...MANUAL, server: 'hq.example' } })));
    expect(ids(await diagnose('hq'))).toContain('dns-unset');
  });

  it('knows servers and IPsec connections, too', async () => {
    const connection = { version: 2, remote: '10.20.0.2', psk: 'a pre-shared key', mode: 'transport' };
    const file = bench.configuration({ hq: { ...MANUAL, ipsec: 'hq' } }, { office: {} }, { hq: connection });
    await bench.during(bench.router.enforce(file));
    expect(await diagnose('office')).toMatchObject({ name: 'office', state: 'up' });
    expect((await diagnose('hq')).steps.map(({ step }) => step)).toContain('ike-authentication');
  });

  it('names the connections that there are when there is none of that name', async () => {
    await bench.during(bench.router.enforce(bench.configuration({ hq: MANUAL })));
    expect(await bench.during(bench.router.diagnose('constructor'))).toMatchObject({ ok: false, notFound: ['hq'] });
  });
});
