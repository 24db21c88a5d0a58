/** Severities by OpenTelemetry's data model. `@opentelemetry/api` has them from 1.10 on, and the package works with 1.9, too. */
import type { SeverityNumber } from '@opentelemetry/api';

export const SEVERITY = { DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17 } as const satisfies Record<string, SeverityNumber>;

/** The text of one of these. */
export function severityText(severity: SeverityNumber): string {
  return Object.entries(SEVERITY).find(([, number]) => number === severity)?.[0] ?? '';
}
