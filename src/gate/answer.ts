/**
 * What a provider has answered, as values that taut can go by. A provider is somebody else's code, and OpenFeature hands on what it
 * answers without a look. Pure.
 */
import { ErrorCode, type EvaluationDetails, type FlagValue } from '@openfeature/server-sdk';

/** Characters of a value, of a variant or a reason, and of a message: they end up in spans, metrics and lines of a log. */
const MOST_OF_A_VALUE = 4_096;
const MOST_OF_A_NAME = 256;
const MOST_OF_A_MESSAGE = 500;

/** A value of none of JSON's types counts as one of the wrong type. */
export function answerOf(told: EvaluationDetails<FlagValue>): EvaluationDetails<FlagValue> {
  const { flagKey } = told;
  const variant = name(told.variant);
  const reason = name(told.reason);
  const named = { flagKey, flagMetadata: {}, ...(variant && { variant }), ...(reason && { reason }) };
  const failed = (code: unknown, message: unknown) => ({
    ...{ ...named, value: false, errorCode: codeOf(code) },
    ...(typeof message === 'string' && { errorMessage: message.slice(0, MOST_OF_A_MESSAGE) }),
  });
  if (told.errorCode) return failed(told.errorCode, told.errorMessage);
  try {
    return { ...named, value: plain(told.value) };
  } catch (error) {
    return failed(ErrorCode.TYPE_MISMATCH, messageOf(error));
  }
}

/** The answer of a provider that threw, past OpenFeature. */
export function noAnswer(flagKey: string, error: unknown): EvaluationDetails<FlagValue> {
  return answerOf({
    ...{ flagKey, value: false, flagMetadata: {} },
    ...{ errorCode: ErrorCode.GENERAL, errorMessage: messageOf(error) },
  });
}

/** What an error says, and what it came from; of one without words its name, and of what is none what it is, as anything may be thrown. */
export function messageOf(error: unknown): string {
  try {
    if (!(error instanceof Error))
      return typeof error === 'string' ? error : `it threw what is no error (${typeof error})`;
    const cause = firstCause(error);
    const said = String(error.message || error.constructor.name);
    return cause === undefined || said.includes(cause) ? said : `${said} (${cause})`;
  } catch {
    return 'it threw what tells nothing';
  }
}

/** "connect ECONNREFUSED 127.0.0.1:8013" of what says "fetch failed". */
function firstCause(error: Error): string | undefined {
  let last: unknown = error;
  for (let depth = 0; depth < 8 && last instanceof Error && last.cause instanceof Error; depth++) last = last.cause;
  return last !== error && last instanceof Error && last.message ? String(last.message) : undefined;
}

/** @throws Error when it is none of JSON's, or too long. */
function plain(value: unknown): FlagValue {
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value !== 'string' && typeof value !== 'object')
    throw new Error(`its value is of the type ${typeof value}`);
  const json = jsonOf(value);
  if (json.length > MOST_OF_A_VALUE) throw new Error(`its value has ${json.length} characters`);
  // A copy: what a provider's own object says may be something else each time.
  return JSON.parse(json) as FlagValue;
}

function jsonOf(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw new Error(`its value is no JSON: ${messageOf(error)}`);
  }
  if (json === undefined) throw new Error('its value is no JSON');
  return json;
}

function name(given: unknown): string | undefined {
  return typeof given === 'string' ? given.slice(0, MOST_OF_A_NAME) : undefined;
}

function codeOf(given: unknown): ErrorCode {
  return (typeof given === 'string' && /^\w{1,64}$/.test(given) ? given : ErrorCode.GENERAL) as ErrorCode;
}
