/**
 * Every span and attribute name of taut, once; `metrics.ts` has the metrics, `events.ts` the events. Pure constants, for
 * the program and for `otel/`. Names of OpenTelemetry's stable conventions come from its package; the incubating ones
 * are written here.
 */
export { ATTR_CONTAINER_ID, ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';

export const SCOPE_NAME = 'taut';

// Spans: one trace for each agent process, with `attach` as its root.
export const SPAN_ATTACH = 'attach';
export const SPAN_GATE = 'gate';
export const SPAN_TUNE = 'tune';
export const SPAN_VERIFY = 'verify';
export const SPAN_REVERT = 'revert';
/** A restore outside of any agent's trace: it has its own trace. */
export const SPAN_RESTORE = 'restore';

// OpenTelemetry's incubating conventions.
export const ATTR_PROCESS_PID = 'process.pid';
/** A time in RFC 3339. */
export const ATTR_PROCESS_CREATION_TIME = 'process.creation.time';
export const ATTR_PROCESS_EXECUTABLE_NAME = 'process.executable.name';
export const ATTR_THREAD_ID = 'thread.id';
export const ATTR_FEATURE_FLAG_KEY = 'feature_flag.key';
export const ATTR_FEATURE_FLAG_PROVIDER_NAME = 'feature_flag.provider.name';
export const ATTR_FEATURE_FLAG_RESULT_VARIANT = 'feature_flag.result.variant';
export const ATTR_FEATURE_FLAG_RESULT_REASON = 'feature_flag.result.reason';

/** OpenTelemetry's mark on the sum of all series beyond a limit. */
export const ATTR_OTEL_METRIC_OVERFLOW = 'otel.metric.overflow';

// Identity of an agent.
export const ATTR_TAUT_AGENT_NAME = 'taut.agent.name';
export const ATTR_TAUT_RULE_ID = 'taut.rule.id';
/** What found the agent: `cmdline`, `pid`. */
export const ATTR_TAUT_ATTACH_PATH = 'taut.attach.path';

// What taut did to the agent.
export const ATTR_TAUT_GATE_VALUE = 'taut.gate.value';
export const ATTR_TAUT_GATE_REASON = 'taut.gate.reason';
export const ATTR_TAUT_KNOB = 'taut.knob';
/** The target, in the knob's unit: nanoseconds. */
export const ATTR_TAUT_TARGET = 'taut.target';
/** The id under which the ledger records the writes of a tune. It is an id of the ledger, not of the span. */
export const ATTR_TAUT_LEDGER_OPERATION = 'taut.ledger.operation';
export const ATTR_TAUT_PASSES = 'taut.passes';
/** True when the last pass found no new thread. */
export const ATTR_TAUT_COMPLETE = 'taut.complete';
export const ATTR_TAUT_REVERT_REASON = 'taut.revert.reason';
export const ATTR_TAUT_RESTORE_REASON = 'taut.restore.reason';
/** The reason why a thread could not be put back. */
export const ATTR_TAUT_RESTORE_DETAIL = 'taut.restore.detail';
/** A prefix: `taut.threads.tuned`, `taut.threads.vanished`, ... count threads by outcome. */
export const ATTR_TAUT_THREADS = 'taut.threads';
export const ATTR_TAUT_THREADS_TOTAL = 'taut.threads.total';
export const ATTR_TAUT_THREADS_TUNED = 'taut.threads.tuned';
export const ATTR_TAUT_DRIFT_EXPECTED = 'taut.drift.expected';
export const ATTR_TAUT_DRIFT_FOUND = 'taut.drift.found';
export const ATTR_TAUT_EVENTS_LOST = 'taut.events.lost';

// Attributes that split metrics.
/** `timer` or `other`. */
export const ATTR_TAUT_WAKEUP_SOURCE = 'taut.wakeup.source';
/** `reachable`, `beyond` or `none`: compares the timer's slack with the thread's original slack. */
export const ATTR_TAUT_TIMER_SLACK_CLASS = 'taut.timer.slack_class';
export const ATTR_TAUT_TUNED = 'taut.tuned';
export const ATTR_TAUT_THREAD_STATE = 'taut.thread.state';
export const ATTR_TAUT_OPERATION = 'taut.operation';
export const ATTR_TAUT_OUTCOME = 'taut.outcome';
export const ATTR_TAUT_TRACER_OUTCOME = 'taut.tracer.outcome';
/** `wakeup`: each kind of event has its own counters of recorded and discarded events. */
export const ATTR_TAUT_TRACER_EVENT = 'taut.tracer.event';
export const ATTR_TAUT_DISCARD_REASON = 'taut.discard.reason';
/** `kernel` or `user`. */
export const ATTR_TAUT_SELF_PART = 'taut.self.part';
/** `measured` (accounted by the kernel) or `calibrated` (number of events times the cost of one, measured at start). */
export const ATTR_TAUT_SELF_METHOD = 'taut.self.method';

// How much is measured.
/** On every point: `full`, `wakeups`, `schedstat` or `none`. */
export const ATTR_TAUT_TRACER_MODE = 'taut.tracer.mode';
/** `ok` or `degraded`; the reason is in the next attribute. */
export const ATTR_TAUT_TRACER_STATE = 'taut.tracer.state';
export const ATTR_TAUT_TRACER_REASON = 'taut.tracer.reason';
/** One wakeup in this many is recorded. Only on points recorded while sampling. */
export const ATTR_TAUT_SAMPLING_FACTOR = 'taut.sampling.factor';
/** True on points recorded while taut recorded only lateness and run-queue delay. */
export const ATTR_TAUT_SHED_DETAIL = 'taut.shed.detail';
/** Cost of measuring, in percent of a core. */
export const ATTR_TAUT_OVERHEAD_COST = 'taut.overhead.cost';
export const ATTR_TAUT_OVERHEAD_LIMIT = 'taut.overhead.limit';
