/** taut's flag file answers as flagd's own conformance material about evaluation says: by the provider that `--flags` uses. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EvaluationContext, type EvaluationDetails, type FlagValue, OpenFeature } from '@openfeature/server-sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FlagFile } from '../../src/gate/flagFile.ts';
import { conformanceFolder } from './conformance.ts';
import { type Scenario, type Step, scenariosIn } from './gherkin.ts';

const folder = conformanceFolder();
/** An older way to divide, which flagd's engine has left. */
const LEFT = '@fractional-v1';
const features = readdirSync(join(folder, 'gherkin')).map((name) => ({
  name,
  scenarios: scenariosIn(readFileSync(join(folder, 'gherkin', name), 'utf8')).filter(
    ({ tags }) => !tags.includes(LEFT),
  ),
}));
const client = OpenFeature.getClient('conformance');

beforeAll(async () => {
  const file = new FlagFile(join(folder, 'flags/testkit-flags.json'), () => {});
  await OpenFeature.setProviderAndWait('conformance', file);
});
afterAll(() => OpenFeature.clearProviders());

/** What the steps of a scenario have said until now. */
interface World {
  flag: { readonly type: string; readonly key: string; readonly fallback: string };
  context: EvaluationContext;
  details: EvaluationDetails<FlagValue> | undefined;
}

const typed = (type: string, text: string) => (type === 'String' ? text : JSON.parse(text));

function ask({ flag: { type, key, fallback }, context }: World): Promise<EvaluationDetails<FlagValue>> {
  const value = typed(type, fallback);
  if (type === 'Boolean') return client.getBooleanDetails(key, value, context);
  if (type === 'String') return client.getStringDetails(key, value, context);
  if (type === 'Object') return client.getObjectDetails(key, value, context);
  return client.getNumberDetails(key, value, context);
}

type Does = (world: World, words: readonly string[], rows: Step['rows']) => void | Promise<void>;

const STEPS: readonly (readonly [RegExp, Does])[] = [
  [/^an evaluator$/, () => {}],
  [
    /^an? (\w+)-flag with key "(.*)" and a fallback value "(.*)"$/,
    (world, [type = '', key = '', fallback = '']) => {
      world.flag = { type, key, fallback: fallback.replaceAll('\\"', '"') };
    },
  ],
  [
    /^a context containing a key "(.*)", with type "(.*)" and with value "(.*)"$/,
    (world, [key = '', type = '', value = '']) => {
      world.context = { ...world.context, [key]: typed(type, value) };
    },
  ],
  [
    /^a context containing a targeting key with value "(.*)"$/,
    (world, [targetingKey = '']) => {
      world.context = { ...world.context, targetingKey };
    },
  ],
  [
    /^a context containing a nested property with outer key "(.*)" and inner key "(.*)", with value "(.*)"$/,
    (world, [outer = '', inner = '', value = '']) => {
      world.context = { ...world.context, [outer]: { [inner]: value } };
    },
  ],
  [
    /^the flag was evaluated with details$/,
    async (world) => {
      world.details = await ask(world);
    },
  ],
  [
    /^the resolved details value should be "(.*)"$/,
    ({ flag, details }, [value = '']) => expect(details?.value).toEqual(typed(flag.type, value.replaceAll('\\"', '"'))),
  ],
  [/^the reason should be "(.*)"$/, ({ details }, [reason]) => expect(details?.reason).toBe(reason)],
  [/^the error-code should be "(.*)"$/, ({ details }, [code]) => expect(details?.errorCode).toBe(code)],
  [/^the resolved metadata is empty$/, ({ details }) => expect(details?.flagMetadata).toEqual({})],
  [
    /^the resolved metadata should contain$/,
    ({ details }, _, rows) => {
      const wanted = rows.map(({ key, metadata_type: type = '', value = '' }) => [key, typed(type, value)]);
      expect(details?.flagMetadata).toMatchObject(Object.fromEntries(wanted));
    },
  ],
];

async function play({ steps }: Scenario): Promise<void> {
  const world: World = { flag: { type: '', key: '', fallback: '' }, context: {}, details: undefined };
  for (const { text, rows } of steps) {
    const known = STEPS.find(([pattern]) => pattern.test(text));
    if (!known) throw new Error(`no step for: ${text}`);
    const [pattern, does] = known;
    await does(world, (pattern.exec(text) ?? []).slice(1), rows);
  }
}

test.each(features)('$name', async ({ scenarios }) => {
  expect(scenarios.length).toBeGreaterThan(0);
  for (const scenario of scenarios)
    await play(scenario).catch((error) => {
      throw new Error(`${scenario.name}: ${(error as Error).message}`, { cause: error });
    });
});
