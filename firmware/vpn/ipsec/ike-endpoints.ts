import type { IkeConnection, IkeOutput, IkePeer, IkeSecrets } from '../../protocol/ike/ike-types.ts';
import type { IkeProposal } from '../../protocol/ike/proposals.ts';
import { IkeV1Endpoint } from '../../protocol/ike/v1/endpoint.ts';
import { IkeV2Endpoint } from '../../protocol/ike/v2/endpoint.ts';
import type { Failure, Instant, Machine, RandomSource } from '../../protocol/machine.ts';
import type { UdpEndpoint, UdpPath } from '../../protocol/udp-path.ts';

export type IkeVersion = 1 | 2;

/** An IKE SA, or a child SA, of either endpoint: the two count for themselves. */
export interface IkeRef {
  readonly version: IkeVersion;
  readonly id: number;
}

export interface VersionedOutput {
  readonly version: IkeVersion;
  readonly output: IkeOutput;
}

/** An IKE SA as either endpoint shows it. */
export interface AnyIkeView extends IkeRef {
  readonly connection: string;
  readonly initiator: boolean;
  readonly state: 'connecting' | 'up' | 'replaced';
  readonly path: UdpPath;
  readonly proposal?: IkeProposal;
  readonly peer?: IkePeer;
  readonly secondsLeft?: number;
  readonly children: readonly {
    readonly id: number;
    readonly secondsLeft: number;
    readonly group?: string;
    readonly additional?: string;
  }[];
}

export interface IkeEndpointsOptions {
  /** See {@link IkeV2Endpoint}. */
  readonly qcdSecret?: Uint8Array;
  /** Default true. */
  readonly encapsulateAmongOurselves?: boolean;
}

/** Octet of the ISAKMP header that has the major version in its upper half (RFC 2408 section 3.1, RFC 7296 section 3.1). */
const VERSION_OCTET = 17;

const IKE_V1 = 1;

/** The machines of both versions of IKE as one, on the same ports and with the same SPIs. */
export class IkeEndpoints implements Machine<VersionedOutput> {
  readonly #v1: IkeV1Endpoint;
  readonly #v2: IkeV2Endpoint;
  /** SPIs on which ESP is received, by whoever negotiated them. */
  readonly #inboundSpis = { 1: new Map<number, number>(), 2: new Map<number, number>() } as const;
  #answered: readonly IkeConnection[] = [];

  constructor(options: IkeEndpointsOptions, random: RandomSource) {
    const both = { connections: [], encapsulateAmongOurselves: options.encapsulateAmongOurselves ?? true };
    this.#v1 = new IkeV1Endpoint({ ...both, spiInUse: (spi) => this.#hasSpi(2, spi) }, random);
    const qcd = options.qcdSecret === undefined ? {} : { qcdSecret: options.qcdSecret };
    this.#v2 = new IkeV2Endpoint({ ...both, ...qcd, spiInUse: (spi) => this.#hasSpi(1, spi) }, random);
  }

  /**
   * Who may call from now on. SAs that stand keep what they were made with.
   * @throws RangeError when one holds what cannot be negotiated; then those before stay.
   */
  setAnswered(connections: readonly IkeConnection[]): void {
    this.#v1.setConnections(connections);
    try {
      this.#v2.setConnections(connections);
    } catch (error) {
      this.#v1.setConnections(this.#answered);
      throw error;
    }
    this.#answered = connections;
  }

  /** Calls a peer as `connection` says, which holds for this IKE SA alone. @throws RangeError as {@link setAnswered}. */
  initiate(now: Instant, connection: IkeConnection, path: UdpPath): IkeRef {
    const { version, name } = connection;
    const endpoint = this.#of(version);
    endpoint.setConnections([connection]);
    try {
      return { version, id: endpoint.initiate(now, name, path) };
    } finally {
      endpoint.setConnections(this.#answered);
    }
  }

  /** One datagram without non-ESP marker, of whatever version. */
  receive(now: Instant, datagram: Uint8Array, path: UdpPath): void {
    const version = datagram[VERSION_OCTET];
    if (version === undefined) return;
    if (version >> 4 === IKE_V1) this.#v1.receive(now, datagram, path);
    else this.#v2.receive(now, datagram, path);
  }

  close(now: Instant, { version, id }: IkeRef): void {
    this.#of(version).close(now, id);
  }

  rekeyChild(now: Instant, { version, id }: IkeRef): void {
    this.#of(version).rekeyChild(now, id);
  }

  rekeyIke(now: Instant, { version, id }: IkeRef): void {
    this.#of(version).rekeyIke(now, id);
  }

  espReceived(now: Instant, { version, id }: IkeRef): void {
    this.#of(version).espReceived(now, id);
  }

  peerMoved(now: Instant, { version, id }: IkeRef, path: UdpPath): void {
    this.#of(version).peerMoved(now, id, path);
  }

  /** See {@link IkeV2Endpoint.addressChanged}; IKEv1 has nothing of the kind. */
  addressChanged(now: Instant, { version, id }: IkeRef, local: string): boolean {
    return version === 2 && this.#v2.addressChanged(now, id, local);
  }

  /** Only IKEv2 has words for it outside of an SA. @param path to a port of IKE. */
  unknownSpi(now: Instant, spi: number, path: UdpPath): void {
    if (this.#answered.some(({ version }) => version === 2)) this.#v2.unknownSpi(now, spi, path);
  }

  pathError(now: Instant, remote: UdpEndpoint, code: string): void {
    this.#v1.pathError(now, remote, code);
    this.#v2.pathError(now, remote, code);
  }

  /** Nothing is up, and nobody waits for anything. */
  get idle(): boolean {
    return this.#v1.idle && this.#v2.idle;
  }

  /** Why the last child SA was refused that the peer asked for; IKEv2 tells it with the end of the IKE SA. */
  refusalOf({ version, id }: IkeRef): Failure | undefined {
    return version === 1 ? this.#v1.lastFailure(id) : undefined;
  }

  /** Keys in use, of both versions. */
  secrets(): readonly IkeSecrets[] {
    return [...this.#v1.secrets(), ...this.#v2.secrets()];
  }

  views(now: Instant): readonly AnyIkeView[] {
    return [...this.#viewsOfV1(now), ...this.#viewsOfV2(now)];
  }

  tick(now: Instant): void {
    this.#v1.tick(now);
    this.#v2.tick(now);
  }

  nextDeadline(): Instant | undefined {
    const one = this.#v1.nextDeadline();
    const two = this.#v2.nextDeadline();
    return one === undefined || two === undefined ? (one ?? two) : Math.min(one, two);
  }

  poll(): VersionedOutput | undefined {
    for (const version of [1, 2] as const) {
      const output = this.#of(version).poll();
      if (output === undefined) continue;
      if (output.kind === 'child-up') this.#inboundSpis[version].set(output.child.id, output.child.inboundSpi);
      else if (output.kind === 'child-down') this.#inboundSpis[version].delete(output.childId);
      return { version, output };
    }
    return undefined;
  }

  #of(version: IkeVersion): IkeV1Endpoint | IkeV2Endpoint {
    return version === 1 ? this.#v1 : this.#v2;
  }

  #hasSpi(version: IkeVersion, spi: number): boolean {
    for (const other of this.#inboundSpis[version].values()) if (other === spi) return true;
    return false;
  }

  #viewsOfV1(now: Instant): readonly AnyIkeView[] {
    const left = (until: Instant): number => Math.max(0, Math.floor((until - now) / 1000));
    return this.#v1.views().map(({ ikeId, state, proposal, peer, expiresAt, children, ...view }) => ({
      version: 1,
      id: ikeId,
      connection: view.connection,
      initiator: view.initiator,
      state: state === 'phase-1' ? 'connecting' : state === 'established' ? 'up' : 'replaced',
      path: view.path,
      ...(proposal === undefined ? {} : { proposal }),
      ...(peer === undefined ? {} : { peer }),
      ...(expiresAt === undefined ? {} : { secondsLeft: left(expiresAt) }),
      children: children.map((child) => ({
        id: child.id,
        secondsLeft: left(child.expiresAt),
        ...(child.proposal.group === undefined ? {} : { group: child.proposal.group }),
      })),
    }));
  }

  #viewsOfV2(now: Instant): readonly AnyIkeView[] {
    return this.#v2.views(now).flatMap(({ ikeId, state, proposal, peer, secondsLeft, children, ...view }) => {
      if (state === 'closing' || state === 'gone') return [];
      const connecting = state === 'initiating' || state === 'half-open';
      return [
        {
          version: 2,
          id: ikeId,
          connection: view.connection,
          initiator: view.initiator,
          state: connecting ? 'connecting' : state === 'replaced' ? 'replaced' : 'up',
          path: view.path,
          ...(proposal === undefined ? {} : { proposal }),
          // Before it is proved, it is but an address.
          ...(connecting ? {} : { peer }),
          ...(secondsLeft === undefined ? {} : { secondsLeft }),
          children: children.map(({ sa, secondsLeft: childLeft, group, additional }) => ({
            id: sa.id,
            secondsLeft: childLeft,
            ...(group === undefined ? {} : { group }),
            ...(additional === undefined ? {} : { additional }),
          })),
        },
      ];
    });
  }
}

/** As the key of a map. */
export function refKey({ version, id }: IkeRef): string {
  return `${version}.${id}`;
}
