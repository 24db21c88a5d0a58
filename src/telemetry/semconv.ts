// Written by npm run docs from otel/registry: change that, not this.

export const SCOPE_NAME = 'taut';

// Spans.
export const SPAN_ATTACH = 'attach';
export const SPAN_GATE = 'gate';
export const SPAN_TUNE = 'tune';
export const SPAN_VERIFY = 'verify';
export const SPAN_REVERT = 'revert';
export const SPAN_RESTORE = 'restore';
export const SPAN_RUN = 'run';
export const SPAN_WAKEUPS = 'wakeups';

// Attributes of OpenTelemetry's conventions.
export const ATTR_CONTAINER_ID = 'container.id';
export const ATTR_CPU_MODE = 'cpu.mode';
export const ATTR_ERROR_MESSAGE = 'error.message';
export const ATTR_ERROR_TYPE = 'error.type';
export const ATTR_FEATURE_FLAG_CONTEXT_ID = 'feature_flag.context.id';
export const ATTR_FEATURE_FLAG_KEY = 'feature_flag.key';
export const ATTR_FEATURE_FLAG_PROVIDER_NAME = 'feature_flag.provider.name';
export const ATTR_FEATURE_FLAG_RESULT_REASON = 'feature_flag.result.reason';
export const ATTR_FEATURE_FLAG_RESULT_VALUE = 'feature_flag.result.value';
export const ATTR_FEATURE_FLAG_RESULT_VARIANT = 'feature_flag.result.variant';
export const ATTR_GEN_AI_CONVERSATION_ID = 'gen_ai.conversation.id';
export const ATTR_K8S_CONTAINER_NAME = 'k8s.container.name';
export const ATTR_K8S_NAMESPACE_NAME = 'k8s.namespace.name';
export const ATTR_K8S_POD_UID = 'k8s.pod.uid';
export const ATTR_OTEL_COMPONENT_NAME = 'otel.component.name';
export const ATTR_OTEL_COMPONENT_TYPE = 'otel.component.type';
export const ATTR_OTEL_METRIC_OVERFLOW = 'otel.metric.overflow';
export const ATTR_PROCESS_CREATION_TIME = 'process.creation.time';
export const ATTR_PROCESS_EXECUTABLE_NAME = 'process.executable.name';
export const ATTR_PROCESS_EXIT_CODE = 'process.exit.code';
export const ATTR_PROCESS_PID = 'process.pid';
export const ATTR_SERVER_ADDRESS = 'server.address';
export const ATTR_SERVER_PORT = 'server.port';
export const ATTR_SERVICE_PEER_NAME = 'service.peer.name';
export const ATTR_SERVICE_PEER_NAMESPACE = 'service.peer.namespace';
export const ATTR_SESSION_ID = 'session.id';
export const ATTR_THREAD_ID = 'thread.id';
export const ATTR_USER_ID = 'user.id';

// Identity of an agent.
/** The agent's name, by its rule. */
export const ATTR_TAUT_AGENT_NAME = 'taut.agent.name';
/** The rule that named it; `pid` for a process that was named on the command line. */
export const ATTR_TAUT_RULE_ID = 'taut.rule.id';
/**
 * How it was found: `cmdline`, `dns` (a name that it asked for), `connection`, `pid` (named on the command line),
 * `descendant` (a child of an agent).
 */
export const ATTR_TAUT_ATTACH_PATH = 'taut.attach.path';

// The run of a command.
/** A `taut run`, with all that was started in it. */
export const ATTR_TAUT_RUN_ID = 'taut.run.id';
/** The signal that ended its command, like `SIGKILL`. */
export const ATTR_TAUT_RUN_SIGNAL = 'taut.run.signal';

// A turn of an agent.
/** The turn's id, as the agent gave it to its hook. */
export const ATTR_TAUT_TURN_ID = 'taut.turn.id';
/**
 * [How it was over](plugins.md#turns-without-an-end): `ended` (its hook said so), `superseded`, `agent_ended`,
 * `released`, `too_long`.
 */
export const ATTR_TAUT_TURN_END = 'taut.turn.end';
/** True where the turn had begun when taut began to measure the agent. The span begins then. */
export const ATTR_TAUT_TURN_PARTIAL = 'taut.turn.partial';
/** How many processes of the agent were measured in it. */
export const ATTR_TAUT_TURN_PROCESSES = 'taut.turn.processes';
/** What was tuned when it began or was over, like `timer_slack_ns=1`: the setting and its value. */
export const ATTR_TAUT_TURN_TUNED = 'taut.turn.tuned';
/** How often its threads were woken. */
export const ATTR_TAUT_TURN_WAKEUPS_TOTAL = 'taut.turn.wakeups.total';
/** How many of these were no timer's. */
export const ATTR_TAUT_TURN_WAKEUPS_OTHER = 'taut.turn.wakeups.other';
/** How many were of a timer with the thread's own slack, slack class `reachable`. */
export const ATTR_TAUT_TURN_WAKEUPS_TIMER_REACHABLE = 'taut.turn.wakeups.timer_reachable';
/** How many were of a timer of that class with less slack than the thread had. */
export const ATTR_TAUT_TURN_WAKEUPS_TIMER_REACHABLE_TUNED = 'taut.turn.wakeups.timer_reachable_tuned';
/** How many were of slack class `beyond`. */
export const ATTR_TAUT_TURN_WAKEUPS_TIMER_BEYOND = 'taut.turn.wakeups.timer_beyond';
/** How many were of slack class `none`. */
export const ATTR_TAUT_TURN_WAKEUPS_TIMER_NONE = 'taut.turn.wakeups.timer_none';
/** How late its timers were, seconds, the median. */
export const ATTR_TAUT_TURN_LATENESS_P50 = 'taut.turn.lateness.p50';
/** Nine of ten were no later. */
export const ATTR_TAUT_TURN_LATENESS_P90 = 'taut.turn.lateness.p90';
/** 99 of a hundred were no later. */
export const ATTR_TAUT_TURN_LATENESS_P99 = 'taut.turn.lateness.p99';
/** The latest, up to 9% too much where one before the turn was later. */
export const ATTR_TAUT_TURN_LATENESS_MAX = 'taut.turn.lateness.max';
/** How long its threads could run and waited for a CPU after a wakeup, seconds, the median. */
export const ATTR_TAUT_TURN_RUN_QUEUE_DELAY_P50 = 'taut.turn.run_queue_delay.p50';
/** Nine of ten waited no longer. */
export const ATTR_TAUT_TURN_RUN_QUEUE_DELAY_P90 = 'taut.turn.run_queue_delay.p90';
/** 99 of a hundred waited no longer. */
export const ATTR_TAUT_TURN_RUN_QUEUE_DELAY_P99 = 'taut.turn.run_queue_delay.p99';
/** The longest, up to 9% too much where one before the turn was longer. */
export const ATTR_TAUT_TURN_RUN_QUEUE_DELAY_MAX = 'taut.turn.run_queue_delay.max';
/** All of these together, seconds, of all threads. */
export const ATTR_TAUT_TURN_RUN_QUEUE_DELAY_TOTAL = 'taut.turn.run_queue_delay.total';
/** The same, as a part of the turn. It can be more than 1, as several threads may wait at once. */
export const ATTR_TAUT_TURN_RUN_QUEUE_DELAY_SHARE = 'taut.turn.run_queue_delay.share';

// What taut did to the agent.
/** The setting that is tuned: `timer_slack_ns`, `sched_slice_ns`, `tool_priority`. */
export const ATTR_TAUT_KNOB = 'taut.knob';
/** The value that threads get, in the setting's unit: nanoseconds. */
export const ATTR_TAUT_TARGET = 'taut.target';
/** The value that the gate decided on, or `off`. */
export const ATTR_TAUT_GATE_VALUE = 'taut.gate.value';
/** What was decided before. */
export const ATTR_TAUT_GATE_VALUE_BEFORE = 'taut.gate.value_before';
/** Why it decided so. */
export const ATTR_TAUT_GATE_REASON = 'taut.gate.reason';
/**
 * Who decided: `never` (`--observe-only`, the kill switch), `guardrail`, `rule` (it says off), `flag`, `option`,
 * `configuration`; `off`: nobody asked.
 */
export const ATTR_TAUT_GATE_LAYER = 'taut.gate.layer';
/**
 * How many threads had this [outcome](outcomes.md#what-becomes-of-each-thread): `taut.threads.tuned`,
 * `taut.threads.vanished`, …; of `attach`: how many are tuned by any knob.
 */
export const ATTR_TAUT_THREADS = 'taut.threads';
/** How many threads there are. */
export const ATTR_TAUT_THREADS_TOTAL = 'taut.threads.total';
/** How many of them are tuned. */
export const ATTR_TAUT_THREADS_TUNED = 'taut.threads.tuned';
/** How often the threads were listed until no new one was found. */
export const ATTR_TAUT_PASSES = 'taut.passes';
/** Whether the last pass found no new one. */
export const ATTR_TAUT_COMPLETE = 'taut.complete';
/** The id under which the record of changes has what was written. It is no span's id. */
export const ATTR_TAUT_LEDGER_OPERATION = 'taut.ledger.operation';
/** Whether tuning is off by the kill switch. */
export const ATTR_TAUT_OFF = 'taut.off';
/** Why it was turned off. */
export const ATTR_TAUT_OFF_REASON = 'taut.off.reason';
/** What tuning has made worse: a [limit](outcomes.md#the-guardrail) of the configuration, like `runQueueDelay`. */
export const ATTR_TAUT_GUARDRAIL_MEASURE = 'taut.guardrail.measure';
/** How many times as much it may be with tuning as without. */
export const ATTR_TAUT_GUARDRAIL_LIMIT = 'taut.guardrail.limit';
/** What it is without tuning, the median of the windows: seconds, cores, or times per second. */
export const ATTR_TAUT_GUARDRAIL_FOUND = 'taut.guardrail.found';
/** The same with tuning. */
export const ATTR_TAUT_GUARDRAIL_TUNED = 'taut.guardrail.tuned';
/** With tuning it is so many times as much at least. */
export const ATTR_TAUT_GUARDRAIL_TIMES_LOW = 'taut.guardrail.times.low';
/** And so many times at most; not there when that is not known. */
export const ATTR_TAUT_GUARDRAIL_TIMES_HIGH = 'taut.guardrail.times.high';
/** How many blocks of windows that rests on. */
export const ATTR_TAUT_GUARDRAIL_BLOCKS = 'taut.guardrail.blocks';
/** How often this is found where it is not so, at most. */
export const ATTR_TAUT_GUARDRAIL_ERROR_RATE = 'taut.guardrail.error_rate';
/** Until when the agent stays as it was found, RFC 3339. */
export const ATTR_TAUT_GUARDRAIL_UNTIL = 'taut.guardrail.until';
/** Why an agent was put back. */
export const ATTR_TAUT_REVERT_REASON = 'taut.revert.reason';
/** Why threads on record were put back. */
export const ATTR_TAUT_RESTORE_REASON = 'taut.restore.reason';
/** Why a thread could not be put back. */
export const ATTR_TAUT_RESTORE_DETAIL = 'taut.restore.detail';
/** The value that taut wrote. */
export const ATTR_TAUT_DRIFT_EXPECTED = 'taut.drift.expected';
/** The value that it found. */
export const ATTR_TAUT_DRIFT_FOUND = 'taut.drift.found';
/** How many reports were lost. */
export const ATTR_TAUT_EVENTS_LOST = 'taut.events.lost';
/**
 * `exec`, `birth`, `end`, `rename` (a new name, or another control group); of the network `question`, `answer`,
 * `connect`, `hello` (server names); or `unseen`: the kernel did not report them.
 */
export const ATTR_TAUT_EVENTS_KIND = 'taut.events.kind';

// Attributes that split metrics.
/**
 * Read from each timer: `reachable` (its slack is the thread's, or less, so timer slack governs it), `beyond` (it is
 * more: poll, select and epoll scale slack with a long timeout), `none` (timerfd, real-time threads).
 */
export const ATTR_TAUT_TIMER_SLACK_CLASS = 'taut.timer.slack_class';
/** Whether the slack in force was less than the thread's original; of agents: whether it is tuned. */
export const ATTR_TAUT_TUNED = 'taut.tuned';
/**
 * The scheduler's slice that was in force when the thread ran: `default` (the kernel's), `tuned` (another one). There
 * only where taut was told that it may set slices.
 */
export const ATTR_TAUT_SCHED_SLICE = 'taut.sched.slice';
/** `timer` or `other`. */
export const ATTR_TAUT_WAKEUP_SOURCE = 'taut.wakeup.source';
/** `original`, `tuned`, `drifted`, `exempt`. */
export const ATTR_TAUT_THREAD_STATE = 'taut.thread.state';
/**
 * `attach`, `measure`, `tune`, `verify`, `revert`, `restore`, `contain`, `forget`, `ledger`, `sight` (a process was
 * looked at), `keep` (a decision was kept for `taut explain`), `turn` ([of an agent](plugins.md#what-is-counted)).
 */
export const ATTR_TAUT_OPERATION = 'taut.operation';
/** The outcome of a thread, `ok`, `failed`, … */
export const ATTR_TAUT_OUTCOME = 'taut.outcome';
/** `wakeup`. */
export const ATTR_TAUT_TRACER_EVENT = 'taut.tracer.event';
/** `recorded` or `discarded`. */
export const ATTR_TAUT_TRACER_OUTCOME = 'taut.tracer.outcome';
/** [Why it was discarded](#why-a-wakeup-is-discarded). */
export const ATTR_TAUT_DISCARD_REASON = 'taut.discard.reason';
/** `kernel` (the eBPF programs) or `user` (taut's own process). */
export const ATTR_TAUT_SELF_PART = 'taut.self.part';
/** `measured` or `calibrated` ([how](how-it-measures.md#what-measuring-costs)). */
export const ATTR_TAUT_SELF_METHOD = 'taut.self.method';
/** `traces`, `metrics` or `logs`. */
export const ATTR_TAUT_TELEMETRY_SIGNAL = 'taut.telemetry.signal';

// How much is measured.
/** On every point: how much is measured here ([modes](kernels.md#modes)). */
export const ATTR_TAUT_TRACER_MODE = 'taut.tracer.mode';
/** `ok` or `degraded`. */
export const ATTR_TAUT_TRACER_STATE = 'taut.tracer.state';
/** Why it is degraded. */
export const ATTR_TAUT_TRACER_REASON = 'taut.tracer.reason';
/** One wakeup in so many was recorded; only on points for which that is not every one. Multiply their counts by it. */
export const ATTR_TAUT_SAMPLING_FACTOR = 'taut.sampling.factor';
/** True on points from a time when only lateness and run-queue delay were recorded. */
export const ATTR_TAUT_SHED_DETAIL = 'taut.shed.detail';
/** What measuring costs, in percent of a core. */
export const ATTR_TAUT_OVERHEAD_COST = 'taut.overhead.cost';
/** What it may cost, in percent of a core. */
export const ATTR_TAUT_OVERHEAD_LIMIT = 'taut.overhead.limit';
