/** Every event of taut, one entry each. An event is a log record with a name. */
import { type AttributeValue, logs, SeverityNumber } from '@opentelemetry/api';
import * as semconv from './semconv.ts';

interface Event {
  readonly severity: SeverityNumber;
  /** When it is emitted, as `docs/telemetry.md` says it: Markdown. */
  readonly when: string;
  /** Those that it can have. */
  readonly attributes: readonly string[];
}

const AGENT = [semconv.ATTR_PROCESS_PID, semconv.ATTR_TAUT_AGENT_NAME, semconv.ATTR_TAUT_KNOB] as const;
const THREAD = [...AGENT, semconv.ATTR_THREAD_ID] as const;

export const EVENTS = {
  'taut.drift': {
    severity: SeverityNumber.WARN,
    when: 'somebody else has set a thread that taut had tuned',
    attributes: [...THREAD, semconv.ATTR_TAUT_DRIFT_EXPECTED, semconv.ATTR_TAUT_DRIFT_FOUND],
  },
  'taut.restore_failed': {
    severity: SeverityNumber.ERROR,
    when: 'a thread could not be put back, and stays on record',
    attributes: [...THREAD, semconv.ATTR_TAUT_RESTORE_DETAIL],
  },
  'taut.gate_changed': {
    severity: SeverityNumber.INFO,
    when: 'it was decided anew whether an agent is tuned',
    attributes: [
      ...AGENT,
      semconv.ATTR_TAUT_GATE_VALUE,
      semconv.ATTR_TAUT_GATE_REASON,
      semconv.ATTR_TAUT_GATE_LAYER,
      semconv.ATTR_FEATURE_FLAG_KEY,
      semconv.ATTR_FEATURE_FLAG_PROVIDER_NAME,
      semconv.ATTR_FEATURE_FLAG_RESULT_VARIANT,
      semconv.ATTR_FEATURE_FLAG_RESULT_REASON,
    ],
  },
  'feature_flag.evaluation': {
    severity: SeverityNumber.INFO,
    when: 'a feature flag says something else about an agent than before: another variant, or another value',
    attributes: [
      ...AGENT,
      semconv.ATTR_TAUT_GATE_VALUE,
      semconv.ATTR_TAUT_GATE_VALUE_BEFORE,
      semconv.ATTR_FEATURE_FLAG_KEY,
      semconv.ATTR_FEATURE_FLAG_PROVIDER_NAME,
      semconv.ATTR_FEATURE_FLAG_RESULT_VARIANT,
      semconv.ATTR_FEATURE_FLAG_RESULT_REASON,
    ],
  },
  'taut.switched': {
    severity: SeverityNumber.WARN,
    when: 'the [kill switch](outcomes.md#the-kill-switch) turned tuning off, or on again (severity INFO)',
    attributes: [semconv.ATTR_TAUT_OFF, semconv.ATTR_TAUT_OFF_REASON],
  },
  'taut.events_lost': {
    severity: SeverityNumber.WARN,
    when: 'there was no room for what the kernel reports, or a process caused too much of it; what can be is [made good](rules.md#when-there-is-too-much)',
    attributes: [
      semconv.ATTR_TAUT_EVENTS_LOST,
      semconv.ATTR_TAUT_EVENTS_KIND,
      semconv.ATTR_PROCESS_PID,
      semconv.ATTR_USER_ID,
    ],
  },
  'taut.tracer_degraded': {
    severity: SeverityNumber.WARN,
    when: "what is measured [can't be relied on](how-it-measures.md#can-it-be-relied-on), or can again (severity INFO)",
    attributes: [semconv.ATTR_TAUT_TRACER_STATE, semconv.ATTR_TAUT_TRACER_REASON, semconv.ATTR_TAUT_TRACER_MODE],
  },
  'taut.shedding': {
    severity: SeverityNumber.WARN,
    when: 'taut records [less, or more again](how-it-measures.md#keeping-the-cost-below-a-limit)',
    attributes: [
      semconv.ATTR_TAUT_SAMPLING_FACTOR,
      semconv.ATTR_TAUT_SHED_DETAIL,
      semconv.ATTR_TAUT_OVERHEAD_COST,
      semconv.ATTR_TAUT_OVERHEAD_LIMIT,
      semconv.ATTR_TAUT_TRACER_MODE,
    ],
  },
} as const satisfies Record<string, Event>;

type EventName = keyof typeof EVENTS;
type AttributesOf<N extends EventName> = {
  readonly [A in (typeof EVENTS)[N]['attributes'][number]]?: AttributeValue;
};

/** @param severity if it is not that of the table. */
export function emit<N extends EventName>(
  name: N,
  attributes: AttributesOf<N>,
  severity: SeverityNumber = EVENTS[name].severity,
): void {
  logs.getLogger(semconv.SCOPE_NAME).emit({ eventName: name, severityNumber: severity, body: name, attributes });
}
