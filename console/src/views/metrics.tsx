// The last minutes of this node as charts, from its own /metrics.

import { useEffect, useReducer, useState } from "preact/hooks";

import type { Measure, Point } from "../metrics_sampler.ts";
import { Chart } from "../parts/chart.tsx";
import { useConsole } from "../parts/console.tsx";
import { Empty } from "../parts/facts.tsx";
import { bytes, count, latency, rate, share } from "../parts/format.ts";
import { explain } from "../parts/problem.tsx";

interface ChartPlan {
  readonly title: string;
  readonly lines: readonly (readonly [string, Measure])[];
  readonly format: (value: number) => string;
  readonly isBinary?: boolean;
}

/** Of things that are counted: half ones on the axis are no whole ones. */
function amount(value: number): string {
  return Number.isInteger(value) ? count(value) : "";
}

const plans: readonly ChartPlan[] = [
  { title: "HTTP requests", lines: [["all", "requests"], ["failed operations", "failures"]], format: rate },
  { title: "Time of a request", lines: [["p50", "request_p50"], ["p99", "request_p99"]], format: latency },
  { title: "Operations", lines: [["reads", "reads"], ["writes", "writes"]], format: rate },
  { title: "Commits", lines: [["committed here", "commits"], ["log syncs", "fsyncs"]], format: rate },
  { title: "Time to commit", lines: [["p50", "commit_p50"], ["p99", "commit_p99"]], format: latency },
  { title: "Time of a log sync", lines: [["p50", "fsync_p50"], ["p99", "fsync_p99"]], format: latency },
  { title: "Memory", lines: [["process", "process_bytes"], ["data", "data_bytes"]], format: bytes, isBinary: true },
  { title: "Processor", lines: [["of one processor", "processor"]], format: share },
  { title: "Keys", lines: [["keys", "keys"]], format: amount },
  { title: "Connections", lines: [["open", "connections"]], format: amount },
];

/** The axis is no longer than what was measured, from a minute on. */
const shortestSpanMs = 60_000;
const spans = { "2 minutes": 120_000, "5 minutes": 300_000, "15 minutes": 900_000 } as const;
type Span = keyof typeof spans;

export function Metrics() {
  const { sampler } = useConsole();
  const [, draw] = useReducer<number, void>((turn) => turn + 1, 0);
  const [span, setSpan] = useState<Span>("5 minutes");
  useEffect(() => sampler.subscribe(() => draw()), [sampler]);
  const end = sampler.points.at(-1)?.at ?? 0;
  const points: readonly Point[] = sampler.points.filter((point) => point.at >= end - spans[span]);
  const times = points.map((point) => point.at);
  const spanMs = Math.min(spans[span], Math.max(shortestSpanMs, end - (times[0] ?? end)));
  return (
    <>
      <div class="heading">
        <h1>Metrics</h1>
        <label>
          The last{" "}
          <select value={span} onChange={(event) => setSpan(event.currentTarget.value as Span)}>
            {Object.keys(spans).map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      </div>
      {sampler.error !== undefined && (
        <p class="problem" role="alert">
          {explain(sampler.error)}
        </p>
      )}
      {points.length === 0 && sampler.error === undefined && <Empty>Measuring…</Empty>}
      <div class="charts">
        {plans.map(({ title, lines, format, isBinary = false }) => (
          <Chart
            key={title}
            title={title}
            times={times}
            spanMs={spanMs}
            format={format}
            isBinary={isBinary}
            lines={lines.map(([name, measure]) => ({ name, values: points.map((point) => point.values[measure]) }))}
          />
        ))}
      </div>
      <p class="hint">
        Of this node, since the console was opened, the console's own requests among them; writes are committed where the leader is. Prometheus finds the same and more at <code>/metrics</code>.
      </p>
    </>
  );
}
