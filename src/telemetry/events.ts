/** Emits the events that `otel/registry/events.yaml` describes. An event is a log record with a name. */
import { type AttributeValue, ROOT_CONTEXT, type SeverityNumber, type Span, trace } from '@opentelemetry/api';
import { DESCRIBED_EVENTS } from './described.ts';
import { tautLogger } from './scope.ts';
import { SEVERITY, severityText } from './severity.ts';

type Event = typeof DESCRIBED_EVENTS;
type EventName = keyof Event;
type AttributesOf<N extends EventName> = {
  readonly [A in Event[N]['attributes'][number]]?: AttributeValue;
};

interface Told {
  /** If it is not that of the table. */
  readonly severity?: SeverityNumber;
  /** What a person reads. Default: when it is emitted, as the table says. */
  readonly body?: string;
  /** The span to which it belongs, if it is about one agent. It may have ended. */
  readonly about?: Span;
}

export function emit<N extends EventName>(name: N, attributes: AttributesOf<N>, told: Told = {}): void {
  const event = DESCRIBED_EVENTS[name];
  const { severity = SEVERITY[event.severity], body = event.when, about } = told;
  const context = about ? trace.setSpan(ROOT_CONTEXT, about) : ROOT_CONTEXT;
  const written = { severityNumber: severity, severityText: severityText(severity), body };
  tautLogger().emit({ eventName: name, ...written, attributes, context });
}
