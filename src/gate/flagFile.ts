/** An OpenFeature provider for a flag file in flagd's format. flagd's engine evaluates it, also after each change. */
import { FlagdCore } from '@openfeature/flagd-core';
import {
  ErrorCode,
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  StandardResolutionReasons,
} from '@openfeature/server-sdk';
import { type FileState, fileState, onFileChange } from '../util/fileChanges.ts';
import { readSmallFile } from '../util/smallFile.ts';
import { type FlagFindings, flagFindings, SILENT } from './flagFindings.ts';
import type { GatedKnob } from './gate.ts';

const POLL_MS = 250;
const KEPT = 'agents keep for a time what was decided last, and no other is tuned';

export class FlagFile implements Provider {
  readonly metadata = { name: 'flagd-file' };
  readonly runsOn = 'server' as const;
  readonly events = new OpenFeatureEventEmitter();
  readonly #path: string;
  readonly #onProblem: (message: string) => void;
  readonly #knobs: readonly GatedKnob[];
  readonly #prefix: string | undefined;
  /** What it would write beside taut's own messages is in its answers, and found when the file is read. */
  readonly #core = new FlagdCore(undefined, SILENT);
  readonly #asRead: FileState;
  #watch: Disposable | undefined;
  /** Why the file can't be read now. */
  #broken: string | undefined;

  /** @throws Error with the position of each mistake, when the file can't be read or one of taut's flags is wrong. */
  constructor(path: string, onProblem: (message: string) => void, knobs: readonly GatedKnob[] = [], prefix?: string) {
    this.#path = path;
    this.#onProblem = onProblem;
    this.#knobs = knobs;
    this.#prefix = prefix;
    this.#asRead = fileState(path);
    const { mistakes, warnings } = this.#load();
    if (mistakes.length > 0) throw new Error(mistakes.join('\n'));
    for (const warning of warnings) onProblem(warning);
  }

  async initialize(): Promise<void> {
    this.#watch = onFileChange(this.#path, this.#asRead, POLL_MS, () => this.#changed());
  }

  async onClose(): Promise<void> {
    this.#watch?.[Symbol.dispose]();
  }

  async resolveBooleanEvaluation(key: string, fallback: boolean, context: EvaluationContext) {
    return this.#noAnswer(fallback) ?? this.#core.resolveBooleanEvaluation(key, fallback, context);
  }

  async resolveStringEvaluation(key: string, fallback: string, context: EvaluationContext) {
    return this.#noAnswer(fallback) ?? this.#core.resolveStringEvaluation(key, fallback, context);
  }

  async resolveNumberEvaluation(key: string, fallback: number, context: EvaluationContext) {
    return this.#noAnswer(fallback) ?? this.#core.resolveNumberEvaluation(key, fallback, context);
  }

  async resolveObjectEvaluation<T extends JsonValue>(key: string, fallback: T, context: EvaluationContext) {
    return this.#noAnswer(fallback) ?? this.#core.resolveObjectEvaluation(key, fallback, context);
  }

  #noAnswer<T>(value: T) {
    if (this.#broken === undefined) return undefined;
    return { value, reason: StandardResolutionReasons.ERROR, errorCode: ErrorCode.GENERAL, errorMessage: this.#broken };
  }

  /** @returns false: it can't be read, which may pass without a change of the file. */
  #changed(): boolean {
    const before = this.#broken;
    const wasBroken = before !== undefined;
    let findings: FlagFindings;
    try {
      findings = this.#load();
    } catch (error) {
      const { message } = error as Error;
      this.#broken = message;
      if (message !== before) this.#onProblem(`${message}; ${KEPT}`);
      if (!wasBroken) this.events.emit(ProviderEvents.Stale);
      return !(error instanceof Unreadable);
    }
    this.#broken = undefined;
    for (const mistake of findings.mistakes) this.#onProblem(`${mistake}; ${KEPT}`);
    for (const warning of findings.warnings) this.#onProblem(warning);
    if (wasBroken) this.#onProblem(`the flag file ${this.#path} can be read again`);
    this.events.emit(wasBroken ? ProviderEvents.Ready : ProviderEvents.ConfigurationChanged);
    return true;
  }

  #load(): FlagFindings {
    let text: string;
    try {
      text = readSmallFile(this.#path);
    } catch (error) {
      throw new Unreadable(`the flag file can't be read: ${(error as Error).message}`);
    }
    const findings = flagFindings(text, this.#path, this.#knobs, this.#prefix);
    if (findings.broken.length > 0) throw new Error(findings.broken.join('\n'));
    this.#core.setConfigurations(text);
    return findings;
  }
}

class Unreadable extends Error {}
