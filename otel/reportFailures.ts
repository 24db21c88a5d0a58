/** Makes an exporter report which signal it could not write, where and why, and once when it works again. */
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { readable } from './readable.ts';
import { exporting, TOLD } from './sayRarely.ts';

export interface Exporter<T> {
  export(items: T, done: (result: ExportResult) => void): void;
}

/** @param where signal and place, like `traces into /var/lib/taut/otlp`. */
export function reportFailures<T>(exporter: Exporter<T>, where: string, say: (text: string) => void): void {
  const send = exporter.export.bind(exporter);
  let failed = 0;
  exporter.export = (items, done) => {
    exporting.run(where, () =>
      send(items, (result) => {
        if (result.code === ExportResultCode.SUCCESS) {
          if (failed > 0) say(`${where}: works again, after ${failed} exports that failed`);
          failed = 0;
          return done(result);
        }
        failed++;
        say(`${where}: ${readable([result.error ?? new Error('failed')])}`);
        done({ code: result.code, error: new Error(TOLD, { cause: result.error }) });
      }),
    );
  };
}
