/**
 * Schemas of a daemon's answers. A command checks each answer, because the server of a socket may be a stranger or
 * another version. Unknown fields are kept, so that a newer daemon can say more.
 */
import { z } from 'zod';
import { printable } from '../util/printable.ts';
import { CliError, EXIT } from './exit.ts';
import type { Request } from './requests.ts';

/** How many characters of an answer that taut does not understand are shown. */
const SHOWN = 80;

const text = z.string();
const count = z.number();
/** A knob's value: any whole number that a double holds. */
const value = z.number().refine(Number.isInteger, 'a whole number is wanted');
/** Milliseconds since the epoch, within the range of a Date. */
const time = z.number().min(0).max(8.64e15);
const gate = z.looseObject({ value: count.nullable(), reason: text });
const threads = z.looseObject({ total: count, original: count, tuned: count, drifted: count, exempt: count });
const delay = z.looseObject({ count, p50: count.nullable(), p99: count.nullable() });
const waits = z.looseObject({
  ...{ seconds: count, wakeups: count },
  timers: z.looseObject({ lateness: delay, reachable: z.looseObject({ found: delay, tuned: delay }) }).nullable(),
  runQueue: delay.extend({ seconds: count }),
});
const knob = { target: value.nullable(), gate, threads };

const agent = z.looseObject({
  ...{ pid: z.int(), name: text, rule: text, attachPath: text },
  ...knob,
  knobs: z.array(z.looseObject({ id: text, ...knob, inheritedCpu: count.optional() })).optional(),
  waits: waits.nullable().optional(),
});

const tracer = z.looseObject({
  mode: text,
  modeReason: text.nullable(),
  state: text,
  reason: text.nullable(),
  cost: z.looseObject({ percent: count.nullable(), method: text.nullable() }),
  sampling: z.looseObject({ factor: count, detail: z.boolean() }),
});

const off = z.looseObject({ reason: text.nullable(), since: text.nullable(), by: text.nullable() }).nullable();

const status = z.looseObject({
  access: z.enum(['full', 'public']),
  off: off.optional(),
  flagProvider: z.looseObject({ name: text, state: text }).nullable().optional(),
  daemon: z.looseObject({ pid: z.int(), since: text }),
  tracer: tracer.nullable(),
  agents: z.array(agent),
  ledger: z.looseObject({ path: text, entries: count.nullable() }),
});

const decided = {
  decision: z.enum(['attach', 'deny', 'ignore']),
  ruleId: text,
  name: text,
  attachPath: text,
  evidence: z.array(text),
  lost: z.array(z.looseObject({ rule: text, action: text, evidence: z.array(text), why: text })),
};

const kept = z.looseObject({
  verdict: z.looseObject({ pid: z.int(), ...decided }),
  sightings: z.array(z.looseObject({ source: text, what: text.optional(), atMs: time, lastMs: time, times: count })),
  more: count,
});

const restored = z.looseObject({
  tid: z.int(),
  pid: z.int(),
  knob: text,
  original: value,
  was: value.optional(),
  outcome: z.enum(['restored', 'vanished', 'drifted', 'failed']),
  detail: text.optional(),
});

export const REPLIES: Readonly<Record<Request['op'], z.ZodType>> = {
  status,
  explain: z.looseObject({
    ...{ kept: kept.optional(), near: z.array(text), gate: gate.nullable() },
    knobs: z.array(z.looseObject({ id: text, gate })).optional(),
  }),
  compare: z.looseObject({
    ...decided,
    near: z.array(text),
    steps: z.array(z.looseObject({ condition: text, isException: z.boolean(), holds: z.boolean(), text })).nullable(),
  }),
  last: z.array(kept),
  restore: z.array(restored),
  adopt: agent,
  switch: z.looseObject({ off }),
};

const messageSchema = z.union([z.strictObject({ error: z.string() }), z.strictObject({ ok: z.unknown() })]);

/** @param text one JSON line. @throws CliError when the daemon refuses, or its answer is not understood. */
export function understandReply<T>(path: string, text: string, op: Request['op']): T {
  const refuse = (why: string) => new CliError(`${path} answers what is not taut's: ${why}`, EXIT.failed);
  if (text.trim() === '') throw refuse('nothing');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refuse(`no JSON, or not all of it: ${printable(text.slice(0, SHOWN), SHOWN)}`);
  }
  const message = messageSchema.safeParse(json);
  if (!message.success) throw refuse(printable(JSON.stringify(json).slice(0, SHOWN), SHOWN));
  if ('error' in message.data) throw new CliError(`the daemon refuses: ${message.data.error}`, EXIT.failed);
  const reply = REPLIES[op].safeParse(message.data.ok);
  if (reply.success) return reply.data as T;
  throw refuse(`${z.prettifyError(reply.error).replaceAll('\n', ' ')} (another version?)`);
}
