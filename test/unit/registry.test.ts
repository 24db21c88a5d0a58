/** The registry of names: its format, that nothing else names anything, and that the code is made from it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as otel from '@opentelemetry/semantic-conventions/incubating';
import { expect, test } from 'vitest';
import { foreignNames, GROUPS, groupsOf, KINDS, MADE, namesOf, OWN, unreadFiles } from '../../scripts/registry.ts';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { SCHEMA_URL } from '../../src/telemetry/schema.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
/** The last is of the specification of metrics, which the conventions leave out. */
const known = new Set<unknown>([...Object.values(otel), 'otel.metric.overflow']);

test.each(Object.entries(MADE))('%s is made from the registry: npm run docs writes it', (path, make) => {
  expect(read(path)).toBe(make());
});

test('every file of the registry is read, and every group and name is defined once', () => {
  expect(unreadFiles()).toEqual([]);
  const ids = [...GROUPS.map(({ id }) => id), ...OWN.map(({ id }) => id)];
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
});

test('what taut defines is in its namespace, and what it takes from OpenTelemetry is there', () => {
  expect(OWN.filter(({ id = '', type, brief }) => !/^taut(\.[a-z0-9_]+)+$/.test(id) || !type || !brief)).toEqual([]);
  expect(foreignNames().filter((name) => !known.has(name))).toEqual([]);
  const names = [...groupsOf('metric'), ...groupsOf('event')].map(({ metric_name, name }) => metric_name ?? name ?? '');
  expect(names.filter((name) => !name.startsWith('taut.') && !known.has(name))).toEqual([]);
});

test('each group has what the format asks of its type', () => {
  const wrong = GROUPS.filter((group) => {
    const { id, type, brief, name, metric_name, instrument, unit } = group;
    if (!brief || namesOf(group).includes('')) return true;
    if (type === 'metric') return id !== `metric.${metric_name}` || !instrument || !(instrument in KINDS) || !unit;
    if (type === 'event') return id !== `event.${name}` || !group.annotations;
    return type === 'span' ? !id.startsWith('span.taut.') : !/^(registry|attributes)\.taut\./.test(id);
  });
  expect(wrong).toEqual([]);
});

test('units follow the naming rules: what can be counted has its name, and a state is no ratio', () => {
  const metrics = groupsOf('metric').map(({ metric_name, unit }) => [metric_name, unit]);
  expect(metrics.filter(([, unit = '']) => !/^(s|By|\{[a-z_]+\})$/.test(unit))).toEqual([]);
});

test('the program has the metrics of the registry, and no other', () => {
  expect(Object.keys(METRICS).toSorted()).toEqual(
    groupsOf('metric')
      .map(({ metric_name }) => metric_name)
      .toSorted(),
  );
});

test('the schema is that of the conventions whose names taut uses', () => {
  const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
  const version = devDependencies['@opentelemetry/semantic-conventions'];
  expect(SCHEMA_URL).toBe(`https://opentelemetry.io/schemas/${version}`);
  expect(read('otel/registry/registry_manifest.yaml')).toContain(`/v${version}.zip[model]`);
});
