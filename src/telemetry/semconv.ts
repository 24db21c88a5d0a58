/**
 * Every span, metric, attribute and event name of taut, once. Pure constants, for the program and for `otel/`. Names of
 * OpenTelemetry's stable conventions come from its package; the incubating ones are written here.
 */
export { ATTR_CONTAINER_ID, ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';

/** Describes a metric to an SDK or to a producer. Units are UCUM. */
export interface MetricDescription {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
}

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

// Events: log records with a name.
export const EVENT_DRIFT = 'taut.drift';
export const EVENT_RESTORE_FAILED = 'taut.restore_failed';
export const EVENT_EVENTS_LOST = 'taut.events_lost';
export const EVENT_GATE_CHANGED = 'taut.gate_changed';
export const EVENT_TRACER_DEGRADED = 'taut.tracer_degraded';
export const EVENT_SHEDDING = 'taut.shedding';

// Metrics.
export const METRIC_TAUT_TIMER_LATENESS: MetricDescription = {
  name: 'taut.timer.lateness',
  unit: 's',
  description: "From a timer's soft expiry, which the agent asked for, to its handler.",
};
export const METRIC_TAUT_TIMER_SLACK_USE: MetricDescription = {
  name: 'taut.timer.slack_use',
  unit: 's',
  description: 'The part of lateness up to the hard expiry: what timer slack can give back.',
};
export const METRIC_TAUT_TIMER_OVERRUN: MetricDescription = {
  name: 'taut.timer.overrun',
  unit: 's',
  description: 'The part of lateness beyond the hard expiry: timer slack has no part in it.',
};
export const METRIC_TAUT_WAKEUP_LATENCY: MetricDescription = {
  name: 'taut.wakeup.latency',
  unit: 's',
  description: "The whole of what the agent feels: from a timer's soft expiry (or from sched_waking) to running.",
};
export const METRIC_TAUT_WAKEUP_HAND_OVER: MetricDescription = {
  name: 'taut.wakeup.hand_over',
  unit: 's',
  description:
    "From a timer's handler (or from sched_waking) to being made runnable: the way to the other CPU, out of idle.",
};
export const METRIC_TAUT_WAKEUP_RUN_QUEUE_DELAY: MetricDescription = {
  name: 'taut.wakeup.run_queue_delay',
  unit: 's',
  description: 'From being made runnable to running: the negative control, timer slack has no part in it.',
};
export const METRIC_TAUT_AGENT_COUNT: MetricDescription = {
  name: 'taut.agent.count',
  unit: '{agent}',
  description: 'Agent processes that are attached.',
};
export const METRIC_TAUT_THREAD_COUNT: MetricDescription = {
  name: 'taut.thread.count',
  unit: '{thread}',
  description: 'Threads of attached agents, by the state of each knob.',
};
export const METRIC_TAUT_OPERATIONS: MetricDescription = {
  name: 'taut.operations',
  unit: '{operation}',
  description: 'Operations on agents and their threads, by outcome.',
};
export const METRIC_TAUT_TRACER_EVENTS: MetricDescription = {
  name: 'taut.tracer.events',
  unit: '{event}',
  description: "The tracer's correctness ledger: every event that it saw, recorded or discarded.",
};
export const METRIC_TAUT_TRACER_DEGRADED: MetricDescription = {
  name: 'taut.tracer.degraded',
  unit: '1',
  description: 'Whether the tracer and its canary, a thread that keeps time by itself, disagree (1) or agree (0).',
};
export const METRIC_TAUT_CANARY_LATENCY: MetricDescription = {
  name: 'taut.canary.latency',
  unit: 's',
  description: "Wakeup latency of taut's own idle thread, with the least timer slack: the host's floor.",
};
export const METRIC_TAUT_RUN_QUEUE_TIME: MetricDescription = {
  name: 'taut.run_queue.time',
  unit: 's',
  description: 'Time that threads were runnable and not running, after a wakeup or a preemption (mode schedstat).',
};
export const METRIC_TAUT_RUN_QUEUE_TIMESLICES: MetricDescription = {
  name: 'taut.run_queue.timeslices',
  unit: '{timeslice}',
  description: 'Times that threads were put on a CPU (mode schedstat).',
};
export const METRIC_TAUT_SELF_CPU: MetricDescription = {
  name: 'taut.self.cpu',
  unit: 's',
  description: 'CPU time that taut itself has used: its BPF programs (kernel) and its own process (user).',
};
