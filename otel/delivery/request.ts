/** A request as it is sent, and as it waits: what was to be sent is kept, so nothing is written twice. */

/** OTLP in JSON, or in protobuf. Also the end of a file's name in the spool. */
export const FORMATS = ['json', 'pb'] as const;
export type Format = (typeof FORMATS)[number];

export const CONTENT_TYPE: Readonly<Record<Format, string>> = {
  json: 'application/json',
  pb: 'application/x-protobuf',
};

export interface Body {
  readonly format: Format;
  readonly bytes: Uint8Array;
}
