/** What the control API serves: the router, as its API sees it. The composition root implements it. */
import type { Author } from '../config/store/revision.ts';
import type { CaptureLimits } from '../diagnosis/capture/capture-limits.ts';
import type { CaptureSink } from '../diagnosis/capture/capture-run.ts';
import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import type {
  PingEvent,
  PingRequest,
  ReachBegan,
  TracerouteEvent,
  TracerouteRequest,
} from '../diagnosis/reach/reach-event.ts';
import type { countersEventSchema, streamNoticeSchema } from './event-schemas.ts';
import type { limitsSchema } from './limits-schema.ts';
import type { Body } from './schema-parts.ts';
import type {
  boardStatusSchema,
  configurationProblemSchema,
  connectionStateSchema,
  interfaceStatusSchema,
  ipsecChildStatusSchema,
  ipsecKeysSchema,
  ipsecStatusSchema,
  l2tpSessionStatusSchema,
  l2tpStatusSchema,
  modemStatusSchema,
  pppStatusSchema,
  problemSchema,
  radiusServerStatusSchema,
  routerEventSchema,
  routerStatusSchema,
  trafficHistorySchema,
  trafficRingSchema,
  trafficSchema,
  uplinkStatusSchema,
} from './schemas.ts';

export type ConnectionState = Body<typeof connectionStateSchema>;
export type RouterStatus = Body<typeof routerStatusSchema>;
/** LEDs, buttons and watchdog of the board. */
export type BoardStatus = Body<typeof boardStatusSchema>;
export type InterfaceStatus = Body<typeof interfaceStatusSchema>;
export type DslLineStatus = NonNullable<InterfaceStatus['dsl']>;
export type ModemStatus = Body<typeof modemStatusSchema>;
export type UplinkStatus = Body<typeof uplinkStatusSchema>;
export type L2tpStatus = Body<typeof l2tpStatusSchema>;
export type L2tpSessionStatus = Body<typeof l2tpSessionStatusSchema>;
export type RadiusServerStatus = Body<typeof radiusServerStatusSchema>;
export type PppStatus = Body<typeof pppStatusSchema>;
export type IpsecChildStatus = Body<typeof ipsecChildStatusSchema>;
export type IpsecStatus = Body<typeof ipsecStatusSchema>;
export type ConfigurationProblem = Body<typeof configurationProblemSchema>;
export type RouterEvent = Body<typeof routerEventSchema>;
/** How much passed, in the event stream. */
export type CountersEvent = Body<typeof countersEventSchema>;
/** Why the event stream has a hole or ends. */
export type StreamNotice = Body<typeof streamNoticeSchema>;
/** RFC 7807 problem details. */
export type Problem = Body<typeof problemSchema>;

export type CommandResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** The step that failed, in the field's words, where one did. */
      readonly step?: string;
      /** One sentence without a full stop. */
      readonly reason: string;
      /** One sentence without a full stop. */
      readonly remedy?: string;
      /** Present when no connection has that name: the names that exist. */
      readonly notFound?: readonly string[];
    };

export type TrafficTotal = Body<typeof trafficSchema>['totals'][number];
export type TrafficHistory = Body<typeof trafficHistorySchema>;
export type TrafficRingName = Body<typeof trafficRingSchema>;

/** What this router cannot do, or not fast, or not more of at a time. */
export type LimitsStatus = Body<typeof limitsSchema>;

export type IpsecKeys = Body<typeof ipsecKeysSchema>['keys'];

export type IpsecKeysResult =
  | { readonly ok: true; readonly keys: IpsecKeys }
  | (CommandResult & { readonly ok: false });

export type DiagnoseResult =
  | { readonly ok: true; readonly diagnosis: Diagnosis }
  | (CommandResult & { readonly ok: false });

export interface CaptureRequest {
  /** An interface of the configuration, a network device, or a tunnel. */
  readonly name: string;
  /** Of a tunnel: what is around it, instead of what is inside. */
  readonly outside: boolean;
  readonly limits: CaptureLimits;
}

/** Something under way that somebody reads. */
export interface RunningHandle {
  /** Ends it as it should end. */
  stop(): void;
  /** Nobody reads it any more. */
  abandon(): void;
}

export type CaptureResult =
  | {
      readonly ok: true;
      readonly id: number;
      /** To be called once, and at once: the packets wait. */
      readonly begin: (sink: CaptureSink) => RunningHandle;
    }
  /** `busy`: too many run. */
  | (CommandResult & { readonly ok: false; readonly busy?: true });

/** Who is told what a ping or a traceroute finds. */
export interface ReachSink<Event> {
  readonly tell: (event: Event) => void;
  /** Once, behind the last event. */
  readonly end: () => void;
}

export type ReachResult<Event> =
  | {
      readonly ok: true;
      readonly id: number;
      readonly began: ReachBegan;
      /** To be called once, and at once. */
      readonly begin: (sink: ReachSink<Event>) => RunningHandle;
    }
  /** `busy`: too many run. */
  | (CommandResult & { readonly ok: false; readonly busy?: true });

export interface MachineRequest {
  /** `restart`: of this program; the others are of the machine. */
  readonly action: 'restart' | 'reboot' | 'poweroff';
  readonly author: Author;
  /** Until then; 0: at once. */
  readonly minutes: number;
  /** Also while a configuration waits for its confirmation, which the next start takes back. */
  readonly evenPending: boolean;
}

export interface RouterControl {
  status(): Promise<RouterStatus>;
  /** Starts the connection and waits until it is up or failed. `signal`: the caller went away, stop waiting. */
  connect(name: string, signal: AbortSignal): Promise<CommandResult>;
  /** Ends the connection and waits until it is down. */
  disconnect(name: string): Promise<CommandResult>;
  /** Looks at a connection and its surroundings, and says what is wrong. Takes some seconds at most. */
  diagnose(name: string): Promise<DiagnoseResult>;
  /**
   * Keys of the SAs of an IPsec connection, or of all. Nothing else that can be asked for holds any.
   * @param name of the connection, or of an L2TP client or server that uses it.
   */
  ipsecKeys(name: string | undefined): IpsecKeysResult;
  /** What passed in the last minute, hour and day. */
  traffic(): readonly TrafficTotal[];
  /** What passed when; `undefined` when nothing of that name is recorded. */
  trafficHistory(name: string, ring: TrafficRingName): TrafficHistory | undefined;
  limits(): Promise<LimitsStatus>;
  /** LEDs, buttons and watchdog, and what they are about at the moment. */
  board(): BoardStatus;
  /** All LEDs blink for so long; 0: they stop. */
  identify(seconds: number): CommandResult;
  /** Opens what is to be captured. */
  capture(request: CaptureRequest): Promise<CaptureResult>;
  /** Ends a capture as it should end. @returns false when there is none of that number. */
  stopCapture(id: number): boolean;
  /** Whether a host answers, and by which way. */
  ping(request: PingRequest): Promise<ReachResult<PingEvent>>;
  /** Over which routers the way to a host goes. */
  traceroute(request: TracerouteRequest): Promise<ReachResult<TracerouteEvent>>;
  /** Ends one of these two as it should end. @returns false when there is none of that number. */
  stopReach(id: number): boolean;
  /** Ends this program, or the machine. */
  machine(request: MachineRequest): Promise<CommandResult>;
  /** Takes back what was to come after a while. */
  cancelMachine(author: Author): CommandResult;
  /** The last log lines, one JSON object each, oldest first. */
  log(): readonly string[];
  /** Calls `listener` for each step as it happens. @returns what ends that. */
  onEvent(listener: (event: RouterEvent) => void): () => void;
  /** Calls `listener`, which may not throw, with each log line from now on, one JSON object each. @returns what ends that. */
  onLog(listener: (line: string) => void): () => void;
}
