/** The log: one JSON object per line, on stderr and in memory. No secret gets into it, however carelessly one is logged. */
import { pino } from 'pino';
import { escapeInvisible } from './escape-invisible.ts';
import { redactLine, SECRET_MARK } from './redact-line.ts';
import type { LogRing } from './ring.ts';

export type Logger = pino.Logger;

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Where lines go; each ends with a line feed. */
export interface LogDestination {
  write(line: string): void;
}

export interface LoggerOptions {
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Default: stderr, written at once, so that the last words of a crash are there. */
  readonly destination?: LogDestination;
  /** Keeps the last lines for `culvert show log`. */
  readonly ring?: LogRing;
  /** Wall clock, milliseconds since 1970. Default: the machine's, which may stand in the past on a board without battery. */
  readonly wall?: () => number;
  /** Every secret of the configuration in force, and of the one that it replaces; asked anew for each line. */
  readonly secrets: () => readonly string[];
}

/** Keys whose values are secrets, at any of the depths that log fields have here. */
const SECRET_KEYS = ['password', 'secret', 'psk'];
const SECRET_PATHS = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*.*.*.${key}`, `*.*.*.*.${key}`]);

/** Lines like `{"level":"info","time":"2025-01-31T12:00:00.000Z","connection":"hq","msg":"..."}`. */
export function createLogger(options: LoggerOptions): Logger {
  const { wall = Date.now } = options;
  return pino(
    {
      level: options.level ?? 'info',
      // Neither pid nor host name: a line is the same on every run of a test, and syslog adds both.
      base: null,
      timestamp: () => `,"time":"${new Date(wall()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_PATHS, censor: SECRET_MARK },
      hooks: { streamWrite: (line) => escapeInvisible(redactLine(line, options.secrets())) },
    },
    destination(options),
  );
}

/** The logger of one connection: every line names it. */
export function connectionLogger(logger: Logger, connection: string): Logger {
  return logger.child({ connection });
}

function destination(options: LoggerOptions): LogDestination {
  const stream = options.destination ?? pino.destination({ fd: 2, sync: true });
  const { ring } = options;
  if (ring === undefined) return stream;
  return {
    write(line) {
      ring.push(line);
      stream.write(line);
    },
  };
}
