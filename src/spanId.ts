/** Ids of spans that are given out before their spans are made, as what they name is on record already. */

let given: string | undefined;

const half = () =>
  Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');

/** 16 hexadecimal digits, random enough not to come twice, as OpenTelemetry's own are. */
export function newSpanId(): string {
  return half() + half();
}

/** The one span that `make` starts gets this id, of a provider that asks for it with `givenSpanId`. */
export function withSpanId<T>(id: string, make: () => T): T {
  given = id;
  try {
    return make();
  } finally {
    given = undefined;
  }
}

/** The id for the span that is being started; undefined when any will do. */
export function givenSpanId(): string | undefined {
  return given;
}
