// Reads the node's metrics at regular times and keeps, of the last minutes, what the charts show: rates and quantiles of what came
// between two readings.

import { type Api, ApiError } from "./api/api.ts";
import { addedBetween, type Buckets, bucketsOf, type Metrics, quantileOf, readMetrics, sumOf } from "./api/metrics_text.ts";

export interface Point {
  readonly at: number;
  readonly values: Readonly<Partial<Record<Measure, number>>>;
}

export type Measure =
  | "requests" | "failures" | "request_p50" | "request_p99"
  | "commits" | "commit_p50" | "commit_p99" | "fsyncs" | "fsync_p50" | "fsync_p99"
  | "reads" | "writes" | "connections" | "keys" | "data_bytes" | "process_bytes" | "processor";

export const sampledEveryMs = 2000;
/** A quarter of an hour. */
const mostPoints = 450;

const histograms = {
  request: "concord_http_request_duration_seconds",
  commit: "concord_commit_duration_seconds",
  fsync: "concord_log_fsync_duration_seconds",
} as const;

const readOperations = ["get", "get_many", "get_all", "query"];
const writeOperations = ["put", "delete", "touch", "put_many", "delete_many", "touch_many", "txn", "delete_where"];

interface Reading {
  readonly at: number;
  readonly metrics: Metrics;
  readonly buckets: Readonly<Record<keyof typeof histograms, Buckets>>;
}

function reading(page: string, at: number): Reading {
  const metrics = readMetrics(page);
  const of = (name: string) => bucketsOf(metrics, name);
  return { at, metrics, buckets: { request: of(histograms.request), commit: of(histograms.commit), fsync: of(histograms.fsync) } };
}

function operationsOf(metrics: Metrics, operations: readonly string[]): number {
  return operations.reduce((sum, name) => sum + (sumOf(metrics, `concord_api_${name}_count_total`) ?? 0), 0);
}

function pointBetween(before: Reading, now: Reading): Point {
  const seconds = (now.at - before.at) / 1000;
  const perSecond = (earlier: number | undefined, later: number | undefined) =>
    later === undefined ? undefined : (later >= (earlier ?? 0) ? later - (earlier ?? 0) : later) / seconds;
  const rateOf = (read: (metrics: Metrics) => number | undefined) => perSecond(read(before.metrics), read(now.metrics));
  const values: Partial<Record<Measure, number | undefined>> = {
    failures: rateOf((metrics) => sumOf(metrics, "concord_api_errors_total") ?? 0),
    reads: rateOf((metrics) => operationsOf(metrics, readOperations)),
    writes: rateOf((metrics) => operationsOf(metrics, writeOperations)),
    connections: sumOf(now.metrics, "concord_http_connections"),
    keys: sumOf(now.metrics, "concord_cluster_size"),
    data_bytes: sumOf(now.metrics, "concord_store_memory_bytes"),
    process_bytes: sumOf(now.metrics, "process_resident_memory_bytes"),
    processor: rateOf((metrics) => sumOf(metrics, "process_cpu_seconds_total")),
  };
  for (const name of Object.keys(histograms) as (keyof typeof histograms)[]) {
    const added = addedBetween(before.buckets[name], now.buckets[name]);
    values[`${name}s`] = added.length === 0 ? undefined : (added.at(-1)?.count ?? 0) / seconds;
    values[`${name}_p50`] = quantileOf(added, 0.5);
    values[`${name}_p99`] = quantileOf(added, 0.99);
  }
  const known = Object.entries(values).filter(([, value]) => value !== undefined && Number.isFinite(value));
  return { at: now.at, values: Object.fromEntries(known) };
}

/** Samples from `start` on while the page is visible, whatever view is open: charts have a past when one comes to them. */
export class Sampler {
  points: readonly Point[] = [];
  error: unknown = undefined;
  private last: Reading | null = null;
  private timer = 0;
  private readonly listeners = new Set<() => void>();
  private readonly api: Api;

  constructor(api: Api) {
    this.api = api;
  }

  start(): () => void {
    void this.sample();
    this.timer = setInterval(() => document.hidden || void this.sample(), sampledEveryMs);
    return () => clearInterval(this.timer);
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private async sample(): Promise<void> {
    try {
      const { text } = await this.api.call("GET", "metrics");
      const now = reading(text, Date.now());
      if (this.last !== null && now.at > this.last.at) this.points = [...this.points, pointBetween(this.last, now)].slice(-mostPoints);
      this.last = now;
      this.error = undefined;
    } catch (error) {
      this.error = error;
      // A node that measures nothing, or not for everybody, does not begin to.
      if (error instanceof ApiError && [401, 403, 404].includes(error.status)) clearInterval(this.timer);
    }
    for (const listener of this.listeners) listener();
  }
}
