/** A gate that decides by a feature flag, through OpenFeature. It reports when the provider says that flags changed. */
import {
  type EvaluationDetails,
  type FlagValue,
  NOOP_PROVIDER,
  OpenFeature,
  type Provider,
  ProviderEvents,
} from '@openfeature/server-sdk';
import { isIn, PROFILE } from '../actuator/profiles.ts';
import { FLAG_PREFIX, type TargetingKey } from '../config/flagNames.ts';
import { Bursts } from './bursts.ts';
import { contextOf, type Host, thisHost } from './context.ts';
import { Endings } from './endings.ts';
import { Evaluator } from './evaluator.ts';
import { type FlagObject, flagObject, isOver } from './flagObject.ts';
import {
  flagKey,
  type Gate,
  type GateDecision,
  type GatedKnob,
  type GateQuestion,
  profileFlag,
  type Targets,
} from './gate.ts';
import { isObject } from './json.ts';
import { Listeners } from './listeners.ts';
import { NOT_ASKED } from './staticGate.ts';

/** After each of these a provider may answer otherwise. */
const EVENTS = [
  ProviderEvents.Ready,
  ProviderEvents.Stale,
  ProviderEvents.Error,
  ProviderEvents.ConfigurationChanged,
] as const;

/** OpenFeature has one provider per domain: with domains of their own, gates disturb neither an application nor each other. */
let domains = 0;

export interface FlagOptions {
  /** What the keys of the flags begin with. Default: `taut.` */
  readonly prefix?: string;
  /** What percentages are drawn by. Default: the process. */
  readonly targetingKey?: TargetingKey;
  /** Default: this one. */
  readonly host?: Host;
}

/** @param targets the values of a flag that is `true`. @throws Error when the provider can't start. */
export async function flagGate(provider: Provider, targets: Targets, options: FlagOptions = {}): Promise<Gate> {
  const { gate, ready } = openFlags(provider, targets, options);
  await ready;
  return gate;
}

/** As `flagGate`, and the gate is shut until the provider is `ready`, which rejects when it can't start. */
export function openFlags(
  provider: Provider,
  targets: Targets,
  { prefix = FLAG_PREFIX, targetingKey = 'process', host = thisHost() }: FlagOptions = {},
): { readonly gate: Gate; readonly ready: Promise<void> } {
  const { name } = provider.metadata;
  const domain = `taut-${++domains}`;
  const ready = OpenFeature.setProviderAndWait(domain, provider);
  const client = OpenFeature.getClient(domain);
  const evaluator = new Evaluator(client);
  const listeners = new Listeners();
  const endings = new Endings(() => listeners.tell());
  const gate: Gate = {
    get provider() {
      return { name, state: client.providerStatus };
    },
    decide: async (question) => {
      const context = contextOf(question, host, targetingKey);
      const own = await evaluator.evaluate(flagKey(question.knob, prefix), context);
      const profile = isMissing(own) ? await evaluator.evaluate(profileFlag(prefix), context) : own;
      const by = isMissing(profile) || profile === own ? read(own) : ofProfile(read(profile), question.knob);
      const decided = decision(by, name, question, targets, context.targetingKey);
      if (decided.until !== undefined) endings.add(decided.until);
      return decided;
    },
    onChange(callback) {
      // Who begins to listen is told at once of the state that there is, which is no change.
      let isListening = false;
      const bursts = new Bursts(callback);
      const hear = () => isListening && bursts.changed();
      for (const event of EVENTS) client.addHandler(event, hear);
      isListening = true;
      return listeners.add(callback, () => {
        for (const event of EVENTS) client.removeHandler(event, hear);
        bursts.close();
      });
    },
    // A domain can't be given up. A provider that has no domain any more is closed, and one that fails then is closed as well.
    close: async () => {
      endings.close();
      await OpenFeature.setProviderAndWait(domain, NOOP_PROVIDER).catch(() => {});
    },
  };
  return { gate, ready };
}

const isMissing = ({ errorCode }: Pick<EvaluationDetails<FlagValue>, 'errorCode'>) => errorCode === 'FLAG_NOT_FOUND';

/** What a flag says: its value, which may stand in an object. */
interface Read extends Omit<EvaluationDetails<FlagValue>, 'value'>, Partial<Omit<FlagObject, 'value'>> {
  readonly value: FlagObject['value'];
  /** As the flag has it. */
  readonly whole: FlagValue;
  /** Why an object can't be followed. */
  readonly problem?: string;
}

/** A provider whose flags are all text has the object as JSON. */
function read(details: EvaluationDetails<FlagValue>): Read {
  const { value } = details;
  const json = typeof value === 'string' && value.trimStart().startsWith('{');
  if (details.errorCode !== undefined || !(isObject(value) || json))
    return { ...details, value: value as FlagObject['value'], whole: value };
  try {
    return { ...details, ...flagObject(json ? JSON.parse(value) : value), whole: value };
  } catch (error) {
    return { ...details, value: false, whole: value, problem: (error as Error).message };
  }
}

/** What a flag is to a knob: a profile's, whether the knob is in it, and why not. */
interface ToKnob extends Read {
  readonly isOn?: boolean;
  readonly why?: string;
  /** Why that is no answer. */
  readonly failure?: string;
}

/** The code of a flag whose value is none of the knob's. */
const NO_VALUE = 'TYPE_MISMATCH';

const isNo = (value: FlagObject['value']) => value === false || value === 'off' || value === 0;

/** What the flag of a profile says to a knob. What this host can't do is left out. */
function ofProfile(details: Read, knob: GatedKnob): ToKnob {
  const { value, problem } = details;
  if (details.errorCode || problem !== undefined || isNo(value)) return details;
  try {
    const profile = value === true ? PROFILE.defaultTarget : PROFILE.parse(String(value));
    if (!isIn(profile, knob)) return { ...details, isOn: false, why: 'which leaves it out' };
    const { ok, detail } = knob.support?.() ?? { ok: true, detail: '' };
    return ok ? { ...details, isOn: true } : { ...details, isOn: false, why: detail };
  } catch (error) {
    return { ...details, isOn: false, why: (error as Error).message, failure: NO_VALUE };
  }
}

/** A flag that is not clearly on is off: a missing, disabled, broken or absurd flag never opens the gate. */
function decision(
  details: ToKnob,
  provider: string,
  { knob, ruleTarget, asked }: GateQuestion,
  targets: Targets,
  context: string | undefined,
): GateDecision {
  const { flagKey: key, value, whole, variant, reason, errorCode, errorMessage, isOn = value === true, why } = details;
  const { problem, until, descendants, guardrail, failure } = details;
  // JSON has neither NaN nor infinity.
  const text = typeof whole === 'number' ? String(whole) : JSON.stringify(whole);
  const json = variant === undefined && !errorCode ? { value: text } : {};
  const flag = { key, provider, variant, reason, ...json, ...(context !== undefined && { context }) };
  const layer = 'flag';
  if (errorCode) {
    const what = errorMessage || (isMissing(details) ? 'there is no such flag' : errorCode);
    return { layer, value: null, reason: `flag ${key}: ${what}`, flag, failure: errorCode };
  }
  const said = `flag ${key} is ${text}${variant === undefined ? '' : ` (${variant})`}`;
  if (problem !== undefined) return { layer, value: null, reason: `${said}: ${problem}`, flag, failure: NO_VALUE };
  if (why !== undefined)
    return { layer, value: null, reason: `${said}: ${why}`, flag, ...(failure !== undefined && { failure }) };
  if (isOver(until)) return { layer, value: null, reason: `${said}: its time is over`, flag };
  const more = {
    flag,
    ...(until !== undefined && { until }),
    ...(descendants && { descendants }),
    ...(guardrail && { guardrail }),
  };
  if (isNo(value)) return { layer, value: null, reason: said, flag };
  if (asked === 'off') return { layer: 'option', value: null, reason: NOT_ASKED, flag };
  const rules = ruleTarget === 'off' ? undefined : ruleTarget; // what says off is not asked about
  if (isOn)
    return { layer, value: rules ?? asked ?? targets.get(knob.id) ?? knob.defaultTarget, reason: said, ...more };
  try {
    return { layer, value: knob.parse(String(value)), reason: said, ...more };
  } catch (error) {
    return { layer, value: null, reason: `${said}: ${(error as Error).message}`, flag, failure: NO_VALUE };
  }
}
