/** What otel/backends/ ships fits together: files, ports, names. The tests of test/backends run it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS } from '../../src/telemetry/metrics.ts';
import * as semconv from '../../src/telemetry/semconv.ts';
import { dashboard, links, queries, variableQueries } from '../support/dashboard.ts';

const folder = new URL('../../otel/backends/', import.meta.url).pathname;
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const compose = parse(read('compose.yaml')) as Compose;
const services = Object.entries(compose.services);

/** The files and folders of this one that a service gets, by the paths where it has them. */
const mounted = ({ volumes }: Service) =>
  new Map(
    volumes
      .filter((volume) => volume.startsWith('./'))
      .map((volume) => volume.split(':').slice(0, 2).reverse() as [string, string]),
  );

/** A configuration of the collector or Jaeger as a service reads it. */
const expanded = (text: string, env: Readonly<Record<string, string>>) =>
  text.replace(/\$\{env:(\w+):-([^}]*)\}/g, (_, name: string, otherwise: string) => env[name] ?? otherwise);

/** Where a service listens: what its configuration or its command says, or what its image does. */
function listensAt(name: string): number[] {
  const service = compose.services[name];
  if (!service) throw new Error(`there is no service ${name}`);
  if (name === 'grafana') return [3000];
  const texts = [...mounted(service).values()].map((file) => expanded(read(file), service.environment ?? {}));
  const all = [...texts, ...(service.command ?? [])].join('\n');
  return [...all.matchAll(/(?:endpoint: |listen-address=)0\.0\.0\.0:(\d+)/g)].map(([, port]) => Number(port));
}

test('every image has a version, and comes from wherever images come from', () => {
  for (const [name, { image }] of services) expect(image, name).toMatch(/^[a-z-]+\/[a-z-]+:v?\d+\.\d+\.\d+$/);
});

test('every file that a service is given is there, and what its command names is given', () => {
  for (const [name, service] of services) {
    const given = mounted(service);
    for (const file of given.values()) expect(existsSync(join(folder, file)), `${name}: ${file}`).toBe(true);
    const named = [...(service.command ?? []), ...Object.values(service.environment ?? {})];
    for (const [, path = ''] of named.join('\n').matchAll(/(\/etc\/taut\/[\w./-]+)/g))
      expect(
        [...given.keys()].some((own) => path === own || path.startsWith(`${own}/`)),
        `${name}: ${path}`,
      ).toBe(true);
    const volumes = service.volumes.filter((volume) => !volume.startsWith('./')).map((volume) => volume.split(':')[0]);
    for (const volume of volumes) expect(Object.keys(compose.volumes)).toContain(volume);
  }
  const [rules = ''] = (parse(read('prometheus.yaml')) as { rule_files: string[] }).rule_files;
  expect(compose.services['prometheus']?.volumes).toContain(`./${rules}:/etc/taut/${rules}:ro`);
});

test('every port that is published is one at which the service listens, and only this machine reaches it', () => {
  for (const [name, { ports }] of services)
    for (const published of ports) {
      const [address, outside, inside] = published.split(':');
      expect([address, outside]).toEqual(['127.0.0.1', inside]);
      expect(listensAt(name), name).toContain(Number(inside));
    }
});

test('taut sends to the collector by its default', () => {
  expect(listensAt('agent')).toEqual([4318]);
});

test('whoever sends to another service, or asks it, does so where that listens', () => {
  const told = services.flatMap(([, { environment = {} }]) => Object.values(environment)).join('\n');
  const addresses = [
    ...`${told}\n${read('grafana/provisioning/datasources/taut.yaml')}`.matchAll(/http:\/\/(\w+):(\d+)/g),
  ];
  expect(addresses.length).toBeGreaterThan(4);
  for (const [address, name = '', port] of addresses) expect(listensAt(name), address).toContain(Number(port));
});

test('every variable that a service is given is one that its configuration reads', () => {
  for (const [name, service] of services) {
    const texts = [...mounted(service).values()].filter((file) => file.endsWith('.yaml')).map(read);
    const given = Object.keys(service.environment ?? {}).filter((variable) => !variable.startsWith('GF_'));
    for (const variable of given) expect(texts.join('\n'), name).toContain(`\${env:${variable}:-`);
  }
});

test('a collector keeps what it took in a folder that stays', () => {
  for (const name of ['agent', 'gateway']) {
    const [, directory] = /directory: \$\{env:QUEUE_DIR:-(.+)\}/.exec(read(`${name}.yaml`)) ?? [];
    expect(compose.services[name]?.volumes).toContain(`${name}-queue:${directory}`);
  }
});

test('Grafana finds the dashboard, and the dashboard Prometheus', () => {
  const { providers } = parse(read('grafana/provisioning/dashboards/taut.yaml')) as {
    providers: { options: { path: string } }[];
  };
  const given = mounted(compose.services['grafana'] as Service);
  for (const { options } of providers) expect(given.get(options.path)).toBe('./grafana/dashboards');
  const { panels, templating } = dashboard();
  const uids = [...panels.filter(({ targets }) => targets), ...templating.list].flatMap(
    ({ datasource }) => datasource?.uid ?? [],
  );
  expect(new Set(uids)).toEqual(new Set(['${' + 'datasource}']));
});

/** The names in queries: metrics stand alone in braces, attributes are compared or grouped by. */
function named(promql: string): { metrics: string[]; attributes: string[] } {
  const quoted = [...promql.matchAll(/"([a-z][\w.]*\.[\w.]+)"(\s*(?:=~|!~|!=|=))?/g)];
  const metrics = [...promql.matchAll(/\{\s*"([\w.]+)"(?!\s*[=!])/g)].map(([, name = '']) => name);
  return { metrics, attributes: quoted.map(([, name = '']) => name).filter((name) => !metrics.includes(name)) };
}

test('every metric and attribute that a rule or a panel asks for is one of taut’s', () => {
  const { groups } = parse(read('rules.yaml')) as { groups: { rules: { expr: string }[] }[] };
  const rules = groups.flatMap((group) => group.rules.map(({ expr }) => expr));
  const panels = [...queries(dashboard()), ...variableQueries(dashboard())].map(({ expr }) => expr);
  const known: string[] = [...Object.values(semconv), 'host.name'];
  for (const promql of [...rules, ...panels]) {
    const { metrics, attributes } = named(promql);
    for (const name of metrics) expect(Object.keys(METRICS), promql).toContain(name);
    for (const name of attributes) expect(known, promql).toContain(name);
  }
  expect(named('sum by ("a.b") (rate({"taut.x", "c.d"=~"e.f"}[5m]))')).toEqual({
    metrics: ['taut.x'],
    attributes: ['a.b', 'c.d', 'e.f'],
  });
});

test('every variable of the dashboard that something names is there', () => {
  const { templating } = dashboard();
  const names = templating.list.map(({ name }) => name);
  const all = [...queries(dashboard()).map(({ expr }) => expr), ...links(dashboard()), read('jaeger-ui.json')].join(
    '\n',
  );
  const used = [...all.matchAll(/\$\{?([a-z]\w*)|var-(\w+)=/g)].map(([, own, given]) => own ?? given ?? '');
  expect([...new Set(used)].filter((name) => !names.includes(name))).toEqual([]);
  expect(used.length).toBeGreaterThan(5);
});

test('each alert has a test of how it comes and goes', () => {
  const { groups } = parse(read('rules.yaml')) as { groups: { rules: { alert?: string }[] }[] };
  const alerts = groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
  const tests = read('rules.test.yaml');
  expect(alerts.length).toBeGreaterThan(5);
  for (const alert of alerts)
    expect(tests.split(`alertname="${alert}", alertstate="firing"}`).length, alert).toBeGreaterThan(2);
});
