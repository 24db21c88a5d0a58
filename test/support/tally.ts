/**
 * For several runs that are added up: after each, a line `passed failed` goes to the file in TAUT_TALLY, and to `$TAUT_TALLY.failures`
 * the name of every test that failed, with the first line of why.
 */
import { appendFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

const firstLine = (error: unknown): string =>
  String((error as { message?: unknown } | undefined)?.message ?? error).split('\n', 1)[0] ?? '';

export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const file = process.env['TAUT_TALLY'];
    if (!file) return;
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === 'passed').length;
    const failures = [
      ...tests
        .filter((test) => test.result().state === 'failed')
        .map((test) => `${test.module.relativeModuleId}: ${test.fullName}: ${firstLine(test.result().errors?.[0])}`),
      ...modules.flatMap((module) => {
        const own = module.errors();
        return own.length > 0 ? [`${module.relativeModuleId}: ${firstLine(own[0])}`] : [];
      }),
      ...errors.map((error) => `outside of a test: ${firstLine(error)}`),
    ];
    appendFileSync(file, `${passed} ${failures.length}\n`);
    appendFileSync(`${file}.failures`, failures.map((line) => `failed: ${line}\n`).join(''));
  }
}
