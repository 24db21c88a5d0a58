/** Reads what tests check in the Grafana dashboard, and puts values in place of its variables, as Grafana does. Pure. */
import { readFileSync } from 'node:fs';

interface Target {
  readonly expr: string;
}

interface Variable {
  readonly name: string;
  readonly type: 'datasource' | 'textbox' | 'query';
  readonly definition?: string;
  readonly regex?: string;
  readonly datasource?: { readonly uid: string };
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly links?: readonly { readonly url: string }[] } };
}

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

export const DASHBOARD = new URL('../../otel/backends/grafana/dashboards/taut.json', import.meta.url).pathname;

export const dashboard = (): Dashboard => JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard;

export interface Query {
  readonly title: string;
  readonly expr: string;
}

export function queries({ panels }: Dashboard): Query[] {
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
}

/** The queries that variables get their values by, with the expression that takes a value from a result's text. */
export function variableQueries({ templating }: Dashboard): (Query & { readonly value: RegExp })[] {
  return templating.list.flatMap(({ name, definition, regex = '' }) => {
    const [, expr] = /^query_result\((.*)\)$/.exec(definition ?? '') ?? [];
    return expr === undefined ? [] : [{ title: `$${name}`, expr, value: new RegExp(regex.slice(1, -1)) }];
  });
}

export function links({ panels }: Dashboard): string[] {
  return panels.flatMap(({ fieldConfig }) => (fieldConfig?.defaults.links ?? []).map(({ url }) => url));
}

/** What Grafana takes for all values, where the variable says nothing else. */
const ALL = '.*';

/** A query or an address with values in place of variables: those that are given, times, and everything. */
export function filledIn(text: string, values: Readonly<Record<string, string>> = {}): string {
  const own = { __rate_interval: '10m', __range: '10m', __to: String(Date.now()), ...values };
  return text.replace(/\$\{?(\w+)\}?/g, (_, name: string) => own[name as keyof typeof own] ?? ALL);
}

/** An address with a series' labels in place of `${__field.labels["…"]}` and `${__data.fields["…"]}`. */
export function withLabels(url: string, labels: Readonly<Record<string, string>>): string {
  return url.replace(/\$\{__(?:field\.labels|data\.fields)\["([^"]+)"\]\}/g, (_, name: string) =>
    encodeURIComponent(labels[name] ?? ''),
  );
}
