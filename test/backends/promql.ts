/** Asks Prometheus for series with all that it has of them. */

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** A counter's, or that of what also falls. */
  readonly value?: number;
  readonly histogram?: { readonly count: number; readonly sum: number; readonly buckets: readonly Bucket[] };
}

/** Only those with a count. */
export interface Bucket {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

type Answered = readonly [at: number, value: string];
type AnsweredHistogram = {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly (readonly [number, string, string, string])[];
};

/** @throws Error when Prometheus refuses the query. */
export async function seriesOf(prometheus: string, promql: string): Promise<Series[]> {
  const reply = await fetch(`${prometheus}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query: promql }),
  });
  const { data, error } = (await reply.json()) as {
    data?: {
      result: { metric: Record<string, string>; value?: Answered; histogram?: readonly [number, AnsweredHistogram] }[];
    };
    error?: string;
  };
  if (!data) throw new Error(`${promql}: ${error}`);
  return data.result.map(({ metric, value, histogram }) => ({
    metric,
    ...(value && { value: Number(value[1]) }),
    ...(histogram && { histogram: asTold(histogram[1]) }),
  }));
}

function asTold(told: AnsweredHistogram): NonNullable<Series['histogram']> {
  return { count: Number(told.count), sum: Number(told.sum), buckets: bucketsOf(told) };
}

function bucketsOf({ buckets = [] }: AnsweredHistogram): Bucket[] {
  return buckets.map(([, from, to, count]) => ({ from: Number(from), to: Number(to), count: Number(count) }));
}
