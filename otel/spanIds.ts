import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace';

/** Random ids, but for the spans that `given` names: theirs are on record already. */
export class SpanIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  readonly #given: () => string | undefined;

  constructor(given: () => string | undefined) {
    this.#given = given;
  }

  generateTraceId(): string {
    return this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#given() ?? this.#random.generateSpanId();
  }
}
