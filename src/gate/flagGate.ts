/** A gate that decides by a feature flag, through OpenFeature. It reports when the provider says that flags changed. */
import { hostname } from 'node:os';
import {
  type Client,
  type EvaluationContext,
  type EvaluationDetails,
  type FlagValue,
  NOOP_PROVIDER,
  OpenFeature,
  type Provider,
  ProviderEvents,
} from '@openfeature/server-sdk';
import { isIn, PROFILE } from '../actuator/profiles.ts';
import {
  flagKey,
  type Gate,
  type GateDecision,
  type GatedKnob,
  type GateQuestion,
  PROFILE_FLAG,
  type Targets,
} from './gate.ts';
import { NOT_ASKED } from './staticGate.ts';

/** OpenFeature has one provider per domain: with domains of their own, gates disturb neither an application nor each other. */
let domains = 0;

/** @param targets the values of a flag that is `true`. @throws Error when the provider can't start. */
export async function flagGate(provider: Provider, targets: Targets): Promise<Gate> {
  const domain = `taut-${++domains}`;
  await OpenFeature.setProviderAndWait(domain, provider);
  const client = OpenFeature.getClient(domain);
  return {
    decide: async (question) => {
      const own = await evaluate(client, question, flagKey(question.knob));
      const { name } = provider.metadata;
      const profile = isMissing(own) ? await evaluate(client, question, PROFILE_FLAG) : own;
      if (isMissing(profile)) return decision(own, name, question, targets);
      return decision(profile === own ? own : ofProfile(profile, question.knob), name, question, targets);
    },
    onChange(callback) {
      client.addHandler(ProviderEvents.ConfigurationChanged, callback);
      return () => client.removeHandler(ProviderEvents.ConfigurationChanged, callback);
    },
    // A domain can't be given up. A provider that has no domain any more is closed.
    close: () => OpenFeature.setProviderAndWait(domain, NOOP_PROVIDER),
  };
}

/** A flag is a boolean (on, off), a string (`10us`, `off`) or a number (in the knob's unit): taut tries each type. */
async function evaluate(
  client: Client,
  { pid, name, ruleId }: GateQuestion,
  key: string,
): Promise<EvaluationDetails<FlagValue>> {
  const host = hostname();
  const context: EvaluationContext = { targetingKey: `${host}/${pid}`, host, pid, agent: name, rule: ruleId };
  const asBoolean = await client.getBooleanDetails(key, false, context);
  if (asBoolean.errorCode !== 'TYPE_MISMATCH') return asBoolean;
  const asString = await client.getStringDetails(key, 'off', context);
  if (asString.errorCode !== 'TYPE_MISMATCH') return asString;
  return client.getNumberDetails(key, 0, context);
}

const isMissing = ({ errorCode }: EvaluationDetails<FlagValue>) => errorCode === 'FLAG_NOT_FOUND';

/** What a flag is to a knob: a profile's, whether the knob is in it, and why not. */
interface ToKnob extends EvaluationDetails<FlagValue> {
  readonly isOn?: boolean;
  readonly why?: string;
}

/** What the flag of a profile says to a knob. What this host can't do is left out. */
function ofProfile(details: EvaluationDetails<FlagValue>, knob: GatedKnob): ToKnob {
  const { value } = details;
  if (details.errorCode || value === false || value === 'off') return details;
  try {
    const profile = value === true ? PROFILE.defaultTarget : PROFILE.parse(String(value));
    if (!isIn(profile, knob)) return { ...details, isOn: false, why: 'which leaves it out' };
    const { ok, detail } = knob.support?.() ?? { ok: true, detail: '' };
    return ok ? { ...details, isOn: true } : { ...details, isOn: false, why: detail };
  } catch (error) {
    return { ...details, isOn: false, why: (error as Error).message };
  }
}

/** A flag that is not clearly on is off: a missing, disabled, broken or absurd flag never opens the gate. */
function decision(
  details: ToKnob,
  provider: string,
  { knob, ruleId, ruleTarget, asked }: GateQuestion,
  targets: Targets,
): GateDecision {
  const { flagKey: key, value, variant, reason, errorCode, errorMessage, isOn = value === true, why } = details;
  const flag = { key, provider, variant, reason };
  if (errorCode) return { value: null, reason: `flag ${key}: ${errorMessage || errorCode}`, flag };
  const said = `flag ${key} is ${JSON.stringify(value)}${variant === undefined ? '' : ` (${variant})`}`;
  if (why !== undefined) return { value: null, reason: `${said}: ${why}`, flag };
  if (value === false || value === 'off') return { value: null, reason: said, flag };
  if (ruleTarget === 'off') return { value: null, reason: `rule ${ruleId} says off`, flag };
  if (asked === 'off') return { value: null, reason: NOT_ASKED, flag };
  if (isOn) return { value: ruleTarget ?? asked ?? targets.get(knob.id) ?? knob.defaultTarget, reason: said, flag };
  try {
    return { value: knob.parse(String(value)), reason: said, flag };
  } catch (error) {
    return { value: null, reason: `${said}: ${(error as Error).message}`, flag };
  }
}
