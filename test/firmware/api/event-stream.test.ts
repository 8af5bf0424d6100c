import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ControlClient } from '../../../firmware/api/client.ts';
import { EVENTS_KEPT } from '../../../firmware/api/event-history.ts';
import { LAST_WORDS_MS } from '../../../firmware/api/event-reader.ts';
import { COUNTERS_MS, HEARTBEAT_MS, MAX_EVENT_READERS } from '../../../firmware/api/event-stream.ts';
import type { RouterEvent } from '../../../firmware/api/router-control.ts';
import { type ControlApi, startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { ControlClientError } from '../../../firmware/api/transport.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { FakeConfiguration } from './fake-configuration.ts';
import { FakeRouter, IPSEC_STATUS, makeStateDir, STATUS } from './fake-router.ts';
import { rawCall } from './raw-call.ts';

let stateDir: ReturnType<typeof makeStateDir>;
let router: FakeRouter;
let client: ControlClient;
let clock: SimulatedClock;
let api: ControlApi;
const sockets: Socket[] = [];

beforeEach(async () => {
  stateDir = makeStateDir();
  router = new FakeRouter();
  client = new ControlClient(stateDir.path);
  clock = new SimulatedClock();
  const logger = createLogger({ level: 'silent', secrets: () => [] });
  const config = new FakeConfiguration();
  api = await startControlApi({ socketPath: controlSocketPath(stateDir.path), control: router, config, logger, clock });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await api.close();
  stateDir.remove();
});

const event = (step: string): RouterEvent => ({ at: 1, connection: 'hq', kind: 'step', direction: 'sent', step });

/** A reader as a stranger's program is one. */
class Reader {
  readonly socket: Socket;
  text = '';

  constructor(query = '', headers: readonly string[] = []) {
    this.socket = connect(controlSocketPath(stateDir.path));
    sockets.push(this.socket);
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk) => {
      this.text += chunk;
    });
    this.socket.write([`GET /v1/events${query} HTTP/1.1`, 'host: culvert', ...headers, '', ''].join('\r\n'));
  }

  /** Waits until that was read. */
  async sees(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.text).toContain(text));
  }

  get ids(): string[] {
    return [...this.text.matchAll(/^id: (.*)$/gm)].map(([, id = '']) => id);
  }
}

async function reader(query?: string, headers?: readonly string[]): Promise<Reader> {
  const opened = new Reader(query, headers);
  await opened.sees(': subscribed');
  return opened;
}

describe('the event stream', () => {
  it('hands over each event, in order, from the moment at which it is open', async () => {
    const end = new AbortController();
    const seen: (string | undefined)[] = [];
    const three = Promise.withResolvers<void>();
    await client.events(({ step }) => {
      seen.push(step);
      if (seen.length === 3) three.resolve();
    }, end.signal);
    router.emit(event('SCCRQ'));
    router.emit(event('line\n\nfeeds'));
    router.emit(event('SCCCN'));
    await three.promise;
    expect(seen).toEqual(['SCCRQ', 'line\n\nfeeds', 'SCCCN']);
    end.abort();
  });

  it('is server-sent events on the wire, with a name and a number each, and says when to come again', async () => {
    const one = await reader();
    router.emit(event('SCCRQ'));
    await one.sees(`event: state\ndata: ${JSON.stringify(event('SCCRQ'))}\n\n`);
    expect(one.text.toLowerCase()).toContain('content-type: text/event-stream');
    expect(one.text).toContain('retry: 2000\n\n');
    expect(one.ids).toHaveLength(1);
  });

  it('has the topics that were asked for, and no others', async () => {
    const [log, state] = [await reader('?topics=log'), await reader()];
    router.say('{"msg":"hello"}');
    router.emit(event('SCCRQ'));
    router.say('{"msg":"later"}');
    await log.sees('event: log\ndata: {"msg":"hello"}\n\n');
    await log.sees('later');
    await state.sees('SCCRQ');
    expect(log.text).not.toContain('SCCRQ');
    expect(state.text).not.toContain('hello');
    const all = await reader('?topics=state,log,counters');
    router.say('{"msg":"again"}');
    router.emit(event('SCCCN'));
    for (const what of ['again', 'SCCCN', 'event: counters']) await all.sees(what);
  });

  it.each(['', 'smoke', 'state,', 'state,log,counters,state', 'x'.repeat(100)])(
    'refuses the topics "%s"',
    async (topics) => {
      expect((await rawCall(stateDir.path, 'GET', `/v1/events?topics=${topics}`)).status).toBe(400);
    },
  );

  it('forgets a reader that went away', async () => {
    const one = await reader('?topics=log');
    expect(router.logListeners.size).toBe(1);
    one.socket.destroy();
    await vi.waitFor(() => expect(router.logListeners.size).toBe(0));
    expect(clock.nextTimer).toBeUndefined();
  });

  it('has a limit on its readers, and room again when one has gone', async () => {
    const ends = Array.from({ length: MAX_EVENT_READERS }, () => new AbortController());
    for (const end of ends) await client.events(() => undefined, end.signal);
    const further = new AbortController();
    await expect(client.events(() => undefined, further.signal)).rejects.toThrow(ControlClientError);
    ends[0]?.abort();
    await vi.waitFor(() => client.events(() => undefined, further.signal));
    for (const end of [...ends, further]) end.abort();
  });

  it('ends with the API, which does not wait for its readers', async () => {
    const one = await reader('?topics=state,log,counters');
    await api.close();
    if (!one.socket.closed) await once(one.socket, 'close');
    expect([router.listeners.size, router.logListeners.size]).toEqual([0, 0]);
    expect(clock.nextTimer).toBeUndefined();
  });

  it('tells now and then that the router lives', async () => {
    const one = await reader();
    clock.advance(HEARTBEAT_MS);
    await one.sees(': alive\n\n');
    clock.advance(HEARTBEAT_MS);
    await vi.waitFor(() => expect(one.text.split(': alive')).toHaveLength(3));
  });
});

describe('counters', () => {
  it('are told at once and then every few seconds, per connection, and only while somebody listens', async () => {
    let asked = 0;
    router.statusNow = async () => {
      asked++;
      return { ...STATUS, ipsec: [IPSEC_STATUS] };
    };
    await reader('?topics=state,log');
    clock.advance(10 * COUNTERS_MS);
    expect(asked).toBe(0);
    const one = await reader('?topics=counters');
    await one.sees('event: counters');
    const [, data = ''] = /event: counters\ndata: (.*)\n/.exec(one.text) ?? [];
    const passed = { packetsReceived: 12, octetsReceived: 15_300, packetsSent: 9, octetsSent: 900 };
    const nothing = { packetsReceived: 0, octetsReceived: 0, packetsSent: 0, octetsSent: 0 };
    expect(JSON.parse(data)).toEqual({
      at: clock.wall(),
      connections: [
        { kind: 'l2tp', name: 'hq', ...passed },
        { kind: 'l2tp', name: 'plant', ...nothing },
        { kind: 'ipsec', name: 'hq', ...passed },
      ],
      counters: { malformed: 3 },
    });
    clock.advance(COUNTERS_MS - 1);
    expect(asked).toBe(1);
    clock.advance(1);
    await vi.waitFor(() => expect(one.text.split('event: counters')).toHaveLength(3));
    expect(asked).toBe(2);
    one.socket.destroy();
    await vi.waitFor(() => expect(clock.nextTimer).toBeLessThanOrEqual(clock.now() + HEARTBEAT_MS));
    await vi.waitFor(() => {
      clock.advance(COUNTERS_MS);
      const before = asked;
      clock.advance(3 * COUNTERS_MS);
      expect(asked).toBe(before);
    });
  });

  it('that cannot be had cost nothing else', async () => {
    router.statusNow = async () => {
      throw new Error('the engine is gone');
    };
    const one = await reader('?topics=state,counters');
    clock.advance(COUNTERS_MS);
    router.emit(event('SCCRQ'));
    await one.sees('SCCRQ');
    expect(one.text).not.toContain('event: counters');
  });
});

describe('a reader that comes again', () => {
  it('is told what it has missed, and nothing twice', async () => {
    const first = await reader();
    for (const step of ['one', 'two', 'three']) router.emit(event(step));
    await first.sees('three');
    const [id = ''] = first.ids;
    first.socket.destroy();
    router.emit(event('four'));
    const second = await reader('', [`last-event-id: ${id}`]);
    router.emit(event('five'));
    await second.sees('five');
    expect([...second.text.matchAll(/"step":"(\w+)"/g)].map(([, step]) => step)).toEqual([
      'two',
      'three',
      'four',
      'five',
    ]);
    expect(second.text).not.toContain('event: gap');
  });

  it.each(['0-1', 'nonsense', '', `${'f'.repeat(8)}-999999999999999`])(
    'with the number "%s", which is none of this run, is told so',
    async (id) => {
      router.emit(event('one'));
      const one = await reader('', [`last-event-id: ${id}`]);
      expect(one.text).toContain('event: gap\ndata: {"detail":"it cannot be told what happened');
      expect(one.text).not.toContain('"step":"one"');
    },
  );

  it('after more than is kept is told so', async () => {
    const first = await reader();
    router.emit(event('one'));
    await first.sees('"step":"one"');
    const [id = ''] = first.ids;
    for (let more = 0; more < EVENTS_KEPT; more++) router.emit(event('more'));
    expect((await reader('', [`last-event-id: ${id}`])).text).not.toContain('event: gap');
    router.emit(event('one too many'));
    expect((await reader('', [`last-event-id: ${id}`])).text).toContain('event: gap');
  });
});

describe('a reader that does not read', () => {
  /** Emits until the router tells it nothing any more. */
  async function flood(): Promise<Reader> {
    const slow = await reader('?topics=state,log');
    slow.socket.pause();
    for (let sent = 0; router.logListeners.size > 0; sent++) {
      expect(sent).toBeLessThan(10_000);
      router.emit({ ...event('SCCRQ'), detail: 'x'.repeat(1000) });
      await new Promise(setImmediate);
    }
    return slow;
  }

  it('is cut off, and no other is', async () => {
    const end = new AbortController();
    let [count, sent] = [0, 0];
    await client.events(() => count++, end.signal);
    const emit = router.emit.bind(router);
    router.emit = (one) => {
      sent++;
      emit(one);
    };
    await flood();
    await vi.waitFor(() => expect(count).toBe(sent));
    end.abort();
  });

  it('finds the reason at the end when it reads after all', async () => {
    const slow = await flood();
    router.emit(event('never told'));
    slow.socket.resume();
    await slow.sees('event: end\ndata: {"detail":"the reader is ');
    await slow.sees('"remedy":"read faster');
    expect(slow.text).not.toContain('never told');
  });

  it('loses the connection when it does not even then', async () => {
    const slow = await flood();
    clock.advance(LAST_WORDS_MS - 1);
    clock.advance(1);
    slow.socket.resume();
    if (!slow.socket.closed) await once(slow.socket, 'close');
    expect(slow.text).not.toContain('event: end');
  });
});
