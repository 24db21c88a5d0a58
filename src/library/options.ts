/** The options of `startTaut`: those of the commands, by the names and with the values that they have in a configuration. */
import type { AgentEvent } from '../agents/documents.ts';
import type { Gate } from '../gate/gate.ts';
import type { Providers } from '../telemetry/providers.ts';
import type { TautMetrics } from './metrics.ts';

/** `true`: the value that the option has without one; `off` and `false`: never; a text as on the command line, like `'10us'`. */
export type Target = boolean | string | number;

export interface TautOptions {
  /** Which processes are looked at. Default: `'host'`, all of them; `pids`: just these, whatever they are. */
  readonly scope?: 'host' | { readonly pids: Iterable<number> };
  /**
   * Where taut keeps the record of what it changed. Default: that of the command, `/var/lib/taut` for root; one taut at a time can
   * have it.
   */
  readonly stateDir?: string;
  /** The rules: a file, or what is in one as an object (`taut.schema.json`). Default: the built-in rules. */
  readonly config?: string | object;

  /** Settings to change by a profile: `responsive`, `timers` or `all`. Without it and the next three nothing is changed. */
  readonly optimize?: boolean | string;
  /** Timer slack: nanoseconds, or a text with a unit. */
  readonly optimizeTimerSlack?: Target;
  /** The scheduler's slice, likewise. */
  readonly optimizeSchedSlice?: Target;
  /** The priority of what agents start: `nice:10`, `idle`. */
  readonly optimizeTools?: Target;
  /** Change nothing, whatever other options say. */
  readonly observeOnly?: boolean;
  /** What children of a tuned agent get that no rule names: `contain` (the default), `inherit` or `tune`. */
  readonly descendants?: string;
  /** Whether a small process puts everything back should this one be killed. Default: true. */
  readonly guard?: boolean;
  /** Record less when measuring uses more than so much of a core in the kernel, like `'1%'`. */
  readonly maxOverhead?: number | string;

  /** Decides instead of the options above which agent is tuned, and to what. Taut closes it. */
  readonly gate?: Gate;
  /** A file of feature flags that decides. */
  readonly flags?: string;
  /** A provider of OpenFeature's server SDK that decides. Taut initializes and closes it. */
  readonly flagProvider?: FlagProvider;
  /** Ask a provider so often that does not tell of changes. Default: `'5s'`. */
  readonly flagPoll?: string;
  /** For how long agents keep what was decided last when there is no answer. Default: `'10m'`. */
  readonly flagLastKnown?: string;
  readonly flagPrefix?: string;
  readonly flagTargetingKey?: string;

  /** Default: the providers that are registered with `@opentelemetry/api`. */
  readonly telemetry?: Providers;
  /** The producer that the application's metric reader has. Without it the kernel's histograms are not exported. */
  readonly metrics?: TautMetrics;

  /** What must be possible here, or `startTaut` rejects. Default: nothing; see `Taut.missing`. */
  readonly require?: readonly ('measure' | 'tune')[];
  /** Called for each line that taut has to say. Default: warnings and errors go to standard error. */
  readonly log?: (level: LogLevel, message: string) => void;
  /** Called when an agent was attached, tuned, put back or released, or ended. */
  readonly onEvent?: (event: AgentEvent) => void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Any provider of `@openfeature/server-sdk` fits. */
export interface FlagProvider {
  readonly metadata: { readonly name: string };
}
