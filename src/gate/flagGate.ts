/** A feature flag decides, through OpenFeature; asked again whenever its provider says that flags have changed. */
import { hostname } from 'node:os';
import {
  type Client,
  type EvaluationContext,
  type EvaluationDetails,
  type FlagValue,
  OpenFeature,
  type Provider,
  ProviderEvents,
} from '@openfeature/server-sdk';
import { flagKey, type Gate, type GateDecision, type GateQuestion, type Targets } from './gate.ts';
import { NOT_ASKED } from './staticGate.ts';

/** OpenFeature's providers are named per domain: taut's own does not disturb an application's. */
const DOMAIN = 'taut';

/** @throws Error when the provider can't start. `targets` are what a flag gives that is simply `true`. */
export async function flagGate(provider: Provider, targets: Targets): Promise<Gate> {
  await OpenFeature.setProviderAndWait(DOMAIN, provider);
  const client = OpenFeature.getClient(DOMAIN);
  return {
    decide: async (question) => decision(await evaluate(client, question), provider.metadata.name, question, targets),
    onChange(callback) {
      client.addHandler(ProviderEvents.ConfigurationChanged, callback);
      return () => client.removeHandler(ProviderEvents.ConfigurationChanged, callback);
    },
    close: () => OpenFeature.clearProviders(),
  };
}

/** A boolean (on, off), a number (in the knob's unit) or a string (`10us`, `off`): the flag's own type is found by asking. */
async function evaluate(
  client: Client,
  { knob, pid, name, ruleId }: GateQuestion,
): Promise<EvaluationDetails<FlagValue>> {
  const key = flagKey(knob);
  const host = hostname();
  const context: EvaluationContext = { targetingKey: `${host}/${pid}`, host, pid, agent: name, rule: ruleId };
  const asBoolean = await client.getBooleanDetails(key, false, context);
  if (asBoolean.errorCode !== 'TYPE_MISMATCH') return asBoolean;
  const asString = await client.getStringDetails(key, 'off', context);
  if (asString.errorCode !== 'TYPE_MISMATCH') return asString;
  return client.getNumberDetails(key, 0, context);
}

/** Whatever is not clearly on is off: a flag that is missing, disabled, broken or absurd never opens the gate. */
function decision(
  details: EvaluationDetails<FlagValue>,
  provider: string,
  { knob, ruleId, ruleTarget, asked }: GateQuestion,
  targets: Targets,
): GateDecision {
  const key = flagKey(knob);
  const { value, variant, reason, errorCode, errorMessage } = details;
  const flag = { key, provider, variant, reason };
  if (errorCode) return { value: null, reason: `flag ${key}: ${errorMessage || errorCode}`, flag };
  const said = `flag ${key} is ${JSON.stringify(value)}${variant === undefined ? '' : ` (${variant})`}`;
  if (value === false || value === 'off') return { value: null, reason: said, flag };
  if (ruleTarget === 'off') return { value: null, reason: `rule ${ruleId} says off`, flag };
  if (asked === 'off') return { value: null, reason: NOT_ASKED, flag };
  if (value === true)
    return { value: ruleTarget ?? asked ?? targets.get(knob.id) ?? knob.defaultTarget, reason: said, flag };
  try {
    return { value: knob.parse(String(value)), reason: said, flag };
  } catch (error) {
    return { value: null, reason: `${said}: ${(error as Error).message}`, flag };
  }
}
