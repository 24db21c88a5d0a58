/** Asks a provider about a flag, whose type only the provider knows. */
import {
  type Client,
  ErrorCode,
  type EvaluationContext,
  type EvaluationDetails,
  type FlagEvaluationOptions,
  type FlagValue,
} from '@openfeature/server-sdk';
import { answerOf, messageOf, noAnswer } from './answer.ts';

type Type = 'boolean' | 'string' | 'number' | 'object';
/** The first is that of most flags. */
const TYPES: readonly Type[] = ['boolean', 'string', 'number', 'object'];

/** A provider whose flags are all text, as the environment's are, says that it can't parse one. */
function isWrongType({ errorCode }: EvaluationDetails<FlagValue>): boolean {
  return errorCode === 'TYPE_MISMATCH' || errorCode === 'PARSE_ERROR';
}

/**
 * A flag is a boolean (on, off), a string (`10us`, `off`), a number (in the knob's unit), or an object that has one. A provider has to be asked for one of
 * them, and each question may cost something: the type that a flag had last is tried first.
 */
export class Evaluator {
  readonly #client: Client;
  /** By the flag's key, of which taut has a few. */
  readonly #types = new Map<string, Type>();

  constructor(client: Client) {
    this.#client = client;
  }

  async evaluate(key: string, context: EvaluationContext): Promise<EvaluationDetails<FlagValue>> {
    const known = this.#types.get(key) ?? 'boolean';
    let details = await this.#as(known, key, context);
    for (const type of TYPES) {
      if (!isWrongType(details)) break;
      if (type === known) continue;
      details = await this.#as(type, key, context);
      if (details.errorCode === undefined) this.#types.set(key, type);
    }
    return details;
  }

  /** Never rejects. */
  async #as(type: Type, key: string, context: EvaluationContext): Promise<EvaluationDetails<FlagValue>> {
    let thrown: unknown;
    // OpenFeature hands on the message alone, which may be empty, or keep the cause to itself.
    const error = (_: unknown, one: unknown) => {
      thrown = one;
    };
    try {
      const told = await this.#ask(type, key, context, { hooks: [{ error }] });
      // An error of OpenFeature's without a message has its code for a name.
      const hasWords = thrown instanceof Error && (thrown.message !== '' || told.errorCode === ErrorCode.GENERAL);
      return answerOf(told.errorCode && hasWords ? { ...told, errorMessage: messageOf(thrown) } : told);
    } catch (error) {
      return noAnswer(key, error);
    }
  }

  #ask(
    type: Type,
    key: string,
    context: EvaluationContext,
    how: FlagEvaluationOptions,
  ): Promise<EvaluationDetails<FlagValue>> {
    if (type === 'boolean') return this.#client.getBooleanDetails(key, false, context, how);
    if (type === 'string') return this.#client.getStringDetails(key, 'off', context, how);
    if (type === 'object') return this.#client.getObjectDetails(key, {}, context, how);
    return this.#client.getNumberDetails(key, 0, context, how);
  }
}
