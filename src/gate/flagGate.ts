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
import { parseSlack } from '../config/duration.ts';
import { DEFAULT_TARGET_NS, type Gate, type GateDecision, type GateQuestion } from './gate.ts';

export const FLAG_KEY = 'taut.optimize-timer-slack';
/** OpenFeature's providers are named per domain: taut's own does not disturb an application's. */
const DOMAIN = 'taut';

/** @throws Error when the provider can't start. `cliValue` is what a flag that is simply `true` gives. */
export async function flagGate(provider: Provider, cliValue: bigint | undefined): Promise<Gate> {
  await OpenFeature.setProviderAndWait(DOMAIN, provider);
  const client = OpenFeature.getClient(DOMAIN);
  return {
    decide: async (question) => decision(await evaluate(client, question), provider.metadata.name, question, cliValue),
    onChange(callback) {
      client.addHandler(ProviderEvents.ConfigurationChanged, callback);
      return () => client.removeHandler(ProviderEvents.ConfigurationChanged, callback);
    },
    close: () => OpenFeature.clearProviders(),
  };
}

/** A boolean (on, off), a number (nanoseconds) or a string (`10us`, `off`): the flag's own type is found by asking. */
async function evaluate(client: Client, { pid, name, ruleId }: GateQuestion): Promise<EvaluationDetails<FlagValue>> {
  const host = hostname();
  const context: EvaluationContext = { targetingKey: `${host}/${pid}`, host, pid, agent: name, rule: ruleId };
  const asBoolean = await client.getBooleanDetails(FLAG_KEY, false, context);
  if (asBoolean.errorCode !== 'TYPE_MISMATCH') return asBoolean;
  const asString = await client.getStringDetails(FLAG_KEY, 'off', context);
  if (asString.errorCode !== 'TYPE_MISMATCH') return asString;
  return client.getNumberDetails(FLAG_KEY, 0, context);
}

/** Whatever is not clearly on is off: a flag that is missing, disabled, broken or absurd never opens the gate. */
function decision(
  details: EvaluationDetails<FlagValue>,
  provider: string,
  { ruleId, ruleTarget }: GateQuestion,
  cliValue: bigint | undefined,
): GateDecision {
  const { value, variant, reason, errorCode, errorMessage } = details;
  const flag = { key: FLAG_KEY, provider, variant, reason };
  if (errorCode) return { value: null, reason: `flag ${FLAG_KEY}: ${errorMessage || errorCode}`, flag };
  const said = `flag ${FLAG_KEY} is ${JSON.stringify(value)}${variant === undefined ? '' : ` (${variant})`}`;
  if (value === false || value === 'off') return { value: null, reason: said, flag };
  if (ruleTarget === 'off') return { value: null, reason: `rule ${ruleId} says off`, flag };
  if (value === true) return { value: ruleTarget ?? cliValue ?? DEFAULT_TARGET_NS, reason: said, flag };
  try {
    return { value: parseSlack(String(value)), reason: said, flag };
  } catch (error) {
    return { value: null, reason: `${said}: ${(error as Error).message}`, flag };
  }
}
