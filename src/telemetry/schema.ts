/** The conventions that taut's names follow, in the version of `@opentelemetry/semantic-conventions`. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.45.0';
