/** The dashboard of samples/grafana, as far as its tests look at it. */
import { readFileSync } from 'node:fs';

interface Source {
  readonly type: string;
  readonly uid: string;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: Source;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly refId: string; readonly expr: string; readonly datasource: Source }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[];
  };
}

export function grafanaDashboard(): Dashboard {
  const file = new URL('../../samples/grafana/flamegate.json', import.meta.url);
  const { panels, ...dashboard } = JSON.parse(readFileSync(file, 'utf8'));
  // a row has none
  return { ...dashboard, panels: panels.map((panel: object) => ({ targets: [], ...panel })) };
}

export interface Expression {
  readonly title: string;
  readonly raw: string;
  /** As Grafana asks with all of each variable. */
  readonly asked: string;
}

/** Of panels, of annotations, and what the variables ask for. */
export function expressionsOf({ panels, annotations, templating }: Dashboard): readonly Expression[] {
  const all = [
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, raw: expr }))),
    ...annotations.list.map(({ name, expr }) => ({ title: name, raw: expr })),
    ...templating.list.flatMap(({ name, query }) => {
      const text = typeof query === 'object' && query !== null && 'query' in query ? String(query.query) : '';
      const [, raw] = text.match(/^label_values\((.*), \w+\)$/) ?? [];
      return raw === undefined ? [] : [{ title: `variable ${name}`, raw }];
    }),
  ];
  return all.map(({ title, raw }) => ({ title, raw, asked: raw.replaceAll(/\$\w+/g, '.*') }));
}
