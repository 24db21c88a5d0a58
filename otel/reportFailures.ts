/** Makes an exporter report which signal it could not send, to which address and why, and once when it works again. */
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { readable } from './readable.ts';
import { exporting, TOLD } from './sayRarely.ts';

export interface Exporter<T> {
  export(items: T, done: (result: ExportResult) => void): void;
}

/** The exports that have no answer yet. */
export interface Pending {
  /** Undefined when every export has an answer. */
  describe(): string | undefined;
}

/** @param where signal and address, like `traces to http://host:4318/v1/traces`. */
export function reportFailures<T>(exporter: Exporter<T>, where: string, say: (text: string) => void): Pending {
  const send = exporter.export.bind(exporter);
  let failed = 0;
  let pending = 0;
  exporter.export = (items, done) => {
    pending++;
    exporting.run(where, () =>
      send(items, (result) => {
        pending--;
        if (result.code === ExportResultCode.SUCCESS) {
          if (failed > 0) say(`${where}: works again, after ${failed} exports that failed`);
          failed = 0;
          return done(result);
        }
        failed++;
        say(`${where}: ${readable([result.error ?? new Error('failed')])}`);
        done({ code: result.code, error: new Error(TOLD) });
      }),
    );
  };
  return {
    describe: () => (pending === 0 ? undefined : `${where}: not answered in time; what was sent last may be lost`),
  };
}
