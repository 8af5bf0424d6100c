/** Names that the console offers, asked of the router when somebody wants to see them. */
import { ControlClient } from '../../api/client.ts';
import { ConfigurationClient } from '../../api/configuration-client.ts';
import type { Completion } from '../../config/derived/completion.ts';
import { ratesOf } from '../rates.ts';

export class Facts {
  readonly #control: ControlClient;
  readonly #configuration: ConfigurationClient;

  constructor(stateDir: string) {
    this.#control = new ControlClient(stateDir);
    this.#configuration = new ConfigurationClient(stateDir);
  }

  /** Nothing where no router answers: the command itself will say so. */
  async connections(): Promise<readonly Completion[]> {
    const status = await this.#control.status().catch(() => undefined);
    if (status === undefined) return [];
    const named = [
      ...status.l2tp.map(({ name, role, state }) => ({ name, help: `L2TP ${role}, ${state}` })),
      ...status.ipsec.map(({ name, version, state }) => ({ name, help: `IPsec connection, IKEv${version}, ${state}` })),
    ];
    // A client and the connection that protects it may have one name.
    return [...Map.groupBy(named, ({ name }) => name)].map(([text, alike]) => ({
      text,
      help: [...new Set(alike.map(({ help }) => help))].join('; '),
      kind: 'name',
    }));
  }

  /** What has something to do with packets: connections, and interfaces of the configuration. */
  async ways(): Promise<readonly Completion[]> {
    const [connections, status] = await Promise.all([
      this.connections(),
      this.#control.status().catch(() => undefined),
    ]);
    const interfaces = (status?.interfaces ?? []).map(
      ({ name, device, state }): Completion => ({ text: name, help: `interface ${device}, ${state}`, kind: 'name' }),
    );
    return [...connections, ...interfaces];
  }

  /** Network devices of the machine. */
  async devices(): Promise<readonly Completion[]> {
    const status = await this.#control.status().catch(() => undefined);
    return (status?.devices ?? []).map(({ name, up, mac }) => {
      const taken = status?.interfaces.find(({ device }) => device === name);
      const by = taken === undefined ? '' : `; interface "${taken.name}" is on it`;
      return { text: name, help: `${up ? 'Up' : 'Down'}, ${mac}${by}.`, kind: 'value' };
    });
  }

  /** What traffic is counted of, as `monitor traffic` takes it. */
  async counted(): Promise<readonly Completion[]> {
    const totals = await this.#control.traffic().catch(() => []);
    return ratesOf(totals).map(({ name }) => ({ text: name, help: 'What passes it.', kind: 'name' }));
  }

  async revisions(): Promise<readonly Completion[]> {
    const history = await this.#configuration.history().catch(() => undefined);
    return (history?.revisions ?? []).map(({ id, at, who, comment }) => ({
      text: String(id),
      help: `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} ${who} ${comment}`.trimEnd(),
      kind: 'name',
    }));
  }
}
