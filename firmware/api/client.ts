/** A client of the control API: what `culvert` commands, the serial console and tests speak through. */
import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import type {
  BoardStatus,
  CommandResult,
  DiagnoseResult,
  IpsecKeys,
  LimitsStatus,
  RouterEvent,
  RouterStatus,
  TrafficHistory,
  TrafficRingName,
  TrafficTotal,
} from './router-control.ts';
import { ControlTransport, commandResult, expectOk, readAnswer, refused } from './transport.ts';

/** Every method throws `ControlClientError` when no router answers. */
export class ControlClient {
  readonly #transport: ControlTransport;

  constructor(stateDir: string) {
    this.#transport = new ControlTransport(stateDir);
  }

  async status(): Promise<RouterStatus> {
    return expectOk<RouterStatus>(await this.#transport.call('GET', '/v1/status'));
  }

  async limits(): Promise<LimitsStatus> {
    return expectOk<LimitsStatus>(await this.#transport.call('GET', '/v1/limits'));
  }

  /** LEDs, buttons and watchdog. */
  async board(): Promise<BoardStatus> {
    return expectOk<BoardStatus>(await this.#transport.call('GET', '/v1/board'));
  }

  /** All LEDs blink for so many seconds; 0: they stop. */
  async identify(seconds: number): Promise<CommandResult> {
    return commandResult(await this.#transport.call('POST', `/v1/board/identify?seconds=${seconds}`));
  }

  /** Waits until the connection is up or failed; aborting the signal stops the waiting, not the attempt's outcome. */
  async connect(name: string, signal?: AbortSignal): Promise<CommandResult> {
    const path = `/v1/connections/${encodeURIComponent(name)}/connect`;
    return commandResult(await this.#transport.call('POST', path, { ...(signal !== undefined && { signal }) }));
  }

  async disconnect(name: string): Promise<CommandResult> {
    return commandResult(await this.#transport.call('POST', `/v1/connections/${encodeURIComponent(name)}/disconnect`));
  }

  /** What is wrong with a connection. */
  async diagnose(name: string): Promise<DiagnoseResult> {
    const answer = await this.#transport.call('POST', `/v1/connections/${encodeURIComponent(name)}/diagnose`);
    if (answer.status === 200) return { ok: true, diagnosis: answer.body as Diagnosis };
    const result = commandResult(answer);
    return result.ok ? { ok: false, reason: 'the router said nothing' } : result;
  }

  /** Keys of the SAs of a connection, or of all: whoever has them reads the traffic. */
  async ipsecKeys(name?: string): Promise<IpsecKeys> {
    const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`;
    return expectOk<{ readonly keys: IpsecKeys }>(await this.#transport.call('POST', `/v1/ipsec/keys${query}`)).keys;
  }

  /** What passed in the last minute, hour and day. */
  async traffic(): Promise<readonly TrafficTotal[]> {
    const answer = await this.#transport.call('GET', '/v1/traffic');
    return expectOk<{ readonly totals: readonly TrafficTotal[] }>(answer).totals;
  }

  /** What passed when. */
  async trafficHistory(name: string, ring: TrafficRingName): Promise<TrafficHistory> {
    const path = `/v1/traffic/${encodeURIComponent(name)}?ring=${ring}`;
    return expectOk<TrafficHistory>(await this.#transport.call('GET', path));
  }

  /** Log lines, one JSON object each, oldest first. */
  async log(): Promise<readonly string[]> {
    return expectOk<{ readonly lines: readonly string[] }>(await this.#transport.call('GET', '/v1/log')).lines;
  }

  /**
   * Hands each event to `listener`, from the moment at which the promise resolves until `signal` aborts or the router ends
   * the stream.
   * @param onEnd called at that end.
   */
  async events(
    listener: (event: RouterEvent) => void,
    signal: AbortSignal,
    onEnd: () => void = () => undefined,
  ): Promise<void> {
    const response = await this.#transport.open('GET', '/v1/events', { signal });
    if (response.statusCode !== 200) throw refused(await readAnswer(response));
    const { promise, resolve } = Promise.withResolvers<void>();
    let rest = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      const frames = (rest + chunk).split('\n\n');
      rest = frames.pop() ?? '';
      if (frames.includes(': subscribed')) resolve();
      for (const frame of frames) {
        const data = frame.split('\n').find((line) => line.startsWith('data: '));
        if (data !== undefined && frame.includes('event: state\n')) listener(JSON.parse(data.slice('data: '.length)));
      }
    });
    response.on('error', () => resolve());
    response.on('close', () => {
      resolve();
      onEnd();
    });
    await promise;
  }
}
