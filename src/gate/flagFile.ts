/** An OpenFeature provider over a flag file in flagd's format, evaluated by flagd's own engine, read again on change. */
import { readFileSync } from 'node:fs';
import { FlagdCore } from '@openfeature/flagd-core';
import {
  type EvaluationContext,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
} from '@openfeature/server-sdk';
import { type FileState, fileState, onFileChange } from '../fileChanges.ts';

const POLL_MS = 250;

export class FlagFile implements Provider {
  readonly metadata = { name: 'flagd-file' };
  readonly runsOn = 'server' as const;
  readonly events = new OpenFeatureEventEmitter();
  readonly #path: string;
  readonly #onProblem: (message: string) => void;
  readonly #core = new FlagdCore();
  readonly #asRead: FileState;
  #watch: Disposable | undefined;

  /** @throws Error naming the file, when it can't be read or is no flag configuration. */
  constructor(path: string, onProblem: (message: string) => void) {
    this.#path = path;
    this.#onProblem = onProblem;
    this.#asRead = fileState(path);
    this.#load();
  }

  async initialize(): Promise<void> {
    this.#watch = onFileChange(this.#path, this.#asRead, POLL_MS, () => this.#changed());
  }

  async onClose(): Promise<void> {
    this.#watch?.[Symbol.dispose]();
  }

  async resolveBooleanEvaluation(key: string, fallback: boolean, context: EvaluationContext) {
    return this.#core.resolveBooleanEvaluation(key, fallback, context);
  }

  async resolveStringEvaluation(key: string, fallback: string, context: EvaluationContext) {
    return this.#core.resolveStringEvaluation(key, fallback, context);
  }

  async resolveNumberEvaluation(key: string, fallback: number, context: EvaluationContext) {
    return this.#core.resolveNumberEvaluation(key, fallback, context);
  }

  async resolveObjectEvaluation<T extends import('@openfeature/server-sdk').JsonValue>(
    key: string,
    fallback: T,
    context: EvaluationContext,
  ) {
    return this.#core.resolveObjectEvaluation(key, fallback, context);
  }

  #changed(): void {
    try {
      this.#load();
    } catch (error) {
      this.#onProblem(`${(error as Error).message}; the flags that were read before stay`);
      return;
    }
    this.events.emit(ProviderEvents.ConfigurationChanged);
  }

  #load(): void {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      throw new Error(`the flag file can't be read: ${(error as Error).message}`);
    }
    try {
      this.#core.setConfigurations(text);
    } catch (error) {
      throw new Error(`the flag file ${this.#path} is no flagd configuration: ${(error as Error).message}`);
    }
  }
}
