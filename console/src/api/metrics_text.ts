// The page for Prometheus (text format 0.0.4), and what charts need of it: sums of counters, and quantiles of what was added to a
// histogram between two readings.

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export type Metrics = ReadonlyMap<string, readonly Sample[]>;

const lineForm = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+\S+)?$/;
const labelForm = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

function numberOf(text: string): number {
  if (text === "+Inf") return Infinity;
  return text === "-Inf" ? -Infinity : Number(text);
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(labelForm)) {
    labels[name ?? ""] = (value ?? "").replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
  }
  return labels;
}

/** Lines that can't be read are left out. */
export function readMetrics(page: string): Metrics {
  const metrics = new Map<string, Sample[]>();
  for (const line of page.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name, labels, value] = lineForm.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const sample = { labels: labelsOf(labels ?? ""), value: numberOf(value) };
    const known = metrics.get(name);
    if (known) known.push(sample);
    else metrics.set(name, [sample]);
  }
  return metrics;
}

/** Of all samples of the metric; undefined when there is none. */
export function sumOf(metrics: Metrics, name: string, keep: (sample: Sample) => boolean = () => true): number | undefined {
  const samples = metrics.get(name)?.filter(keep);
  if (samples === undefined || samples.length === 0) return undefined;
  return samples.reduce((sum, sample) => sum + sample.value, 0);
}

/** Of a histogram: how many were at most `bound`, by rising bounds; the last one is infinite. */
export type Buckets = readonly { readonly bound: number; readonly count: number }[];

export function bucketsOf(metrics: Metrics, name: string): Buckets {
  const counts = new Map<number, number>();
  for (const { labels, value } of metrics.get(`${name}_bucket`) ?? []) {
    const bound = numberOf(labels.le ?? "");
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return [...counts].map(([bound, count]) => ({ bound, count })).sort((a, b) => a.bound - b.bound);
}

/** What came between two readings; a node that was started again begins at 0. */
export function addedBetween(before: Buckets, after: Buckets): Buckets {
  const was = new Map(before.map(({ bound, count }) => [bound, count]));
  const isNewStart = after.some(({ bound, count }) => count < (was.get(bound) ?? 0));
  return isNewStart ? after : after.map(({ bound, count }) => ({ bound, count: count - (was.get(bound) ?? 0) }));
}

/** As Prometheus' histogram_quantile: linear within a bucket. undefined when nothing was counted. */
export function quantileOf(buckets: Buckets, quantile: number): number | undefined {
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return undefined;
  const rank = quantile * total;
  let lower = { bound: 0, count: 0 };
  for (const upper of buckets) {
    if (upper.count >= rank) {
      if (upper.bound === Infinity) return lower.bound;
      const share = upper.count === lower.count ? 1 : (rank - lower.count) / (upper.count - lower.count);
      return lower.bound + (upper.bound - lower.bound) * share;
    }
    lower = upper;
  }
  return lower.bound;
}
