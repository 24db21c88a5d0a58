/**
 * What an agent's hook tells of a turn: the command line of `taut-turn` (`native/turn`), as the kernel reports it at its exec.
 * Anybody can execute something by that name, so each argument is checked again. Pure.
 */
import { parseTraceparent, type TraceContext } from '../telemetry/traceContext.ts';

export interface TurnMarker {
  readonly event: 'begin' | 'end';
  /** The ids that the agent gave to its hook; undefined where it gave none. */
  readonly session: string | undefined;
  readonly turn: string | undefined;
  /** The trace context with which the hook was started. */
  readonly parent: TraceContext | undefined;
}

const NAME = 'taut-turn';
const UNKNOWN = '-';
const ID = /^[\w.:-]{1,64}$/;
/** The arguments of a marker, and the empty text behind the last NUL. */
const FIELDS = 6;

/** Whether it is the command line of the hooks' program, by its first argument. */
export function isOfHook(cmdline: string): boolean {
  return cmdline.startsWith(`${NAME}\0`);
}

/** Undefined for a hook's program before it has read what it is to tell. */
export function turnMarker(cmdline: string): TurnMarker | 'malformed' | undefined {
  const fields = cmdline.split('\0');
  if (fields.length < FIELDS - 1) return undefined;
  const [, event, session = '', turn = '', parent = ''] = fields;
  const isEvent = event === 'begin' || event === 'end';
  if (!isEvent || fields.length !== FIELDS || !ID.test(session) || !ID.test(turn)) return 'malformed';
  const context = parseTraceparent(parent);
  if (parent !== UNKNOWN && !context) return 'malformed';
  const id = (text: string) => (text === UNKNOWN ? undefined : text);
  return { event, session: id(session), turn: id(turn), parent: context };
}
