/** What the span `run` says. Light: a command that ends at once is told of without an SDK. */
import * as semconv from '../../telemetry/semconv.ts';
import type { Carried, RunSpan } from './carried.ts';
import type { CommandEnd } from './held.ts';

type Values = Readonly<Record<string, string | number>>;

export function runAttributes({ command }: RunSpan, carried: Carried, pid: number | undefined): Values {
  return {
    [semconv.ATTR_PROCESS_EXECUTABLE_NAME]: command,
    ...(pid !== undefined && { [semconv.ATTR_PROCESS_PID]: pid }),
    ...runResource(carried),
  };
}

/** What the resource has of it. */
export function runResource({ runId }: Carried): Readonly<Record<string, string>> {
  return runId === undefined ? {} : { [semconv.ATTR_TAUT_RUN_ID]: runId };
}

interface Told {
  readonly attributes: Values;
  /** Why the span has failed, if it has. */
  readonly failure: string | undefined;
}

/** By OpenTelemetry's conventions for programs a span has failed where the exit code is not 0. */
export function endAttributes({ code, signal }: CommandEnd): Told {
  if (signal !== undefined) {
    const attributes = { [semconv.ATTR_TAUT_RUN_SIGNAL]: signal, [semconv.ATTR_ERROR_TYPE]: signal };
    return { attributes, failure: `ended by ${signal}` };
  }
  const attributes = { [semconv.ATTR_PROCESS_EXIT_CODE]: code };
  if (code === 0) return { attributes, failure: undefined };
  return { attributes: { ...attributes, [semconv.ATTR_ERROR_TYPE]: String(code) }, failure: `exit code ${code}` };
}
