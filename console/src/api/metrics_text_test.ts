import assert from "node:assert/strict";
import test from "node:test";

import { addedBetween, bucketsOf, quantileOf, readMetrics, sumOf } from "./metrics_text.ts";

const page = `# HELP concord_x_total things
# TYPE concord_x_total counter
concord_x_total{operation="put",text="a\\"b,c}\\\\"} 3
concord_x_total{operation="get"} 4 1700000000000
concord_y 1.5e3
concord_z NaN
broken line here too
concord_d_seconds_bucket{method="GET",le="0.1"} 1
concord_d_seconds_bucket{method="GET",le="0.2"} 3
concord_d_seconds_bucket{method="GET",le="+Inf"} 4
concord_d_seconds_bucket{method="PUT",le="0.1"} 1
concord_d_seconds_bucket{method="PUT",le="0.2"} 1
concord_d_seconds_bucket{method="PUT",le="+Inf"} 1
`;

test("samples are read with their labels", () => {
  const metrics = readMetrics(page);
  assert.deepEqual(metrics.get("concord_x_total")?.[0], { labels: { operation: "put", text: 'a"b,c}\\' }, value: 3 });
  assert.equal(sumOf(metrics, "concord_x_total"), 7);
  assert.equal(sumOf(metrics, "concord_x_total", ({ labels }) => labels.operation === "get"), 4);
  assert.equal(sumOf(metrics, "concord_y"), 1500);
  assert.equal(sumOf(metrics, "concord_nothing"), undefined);
});

test("a histogram is summed over its labels", () => {
  assert.deepEqual(bucketsOf(readMetrics(page), "concord_d_seconds"), [
    { bound: 0.1, count: 2 },
    { bound: 0.2, count: 4 },
    { bound: Infinity, count: 5 },
  ]);
});

test("quantiles are those of what came in between", () => {
  const before = [{ bound: 1, count: 100 }, { bound: 2, count: 100 }, { bound: Infinity, count: 100 }];
  const after = [{ bound: 1, count: 100 }, { bound: 2, count: 110 }, { bound: Infinity, count: 110 }];
  assert.equal(quantileOf(addedBetween(before, after), 0.5), 1.5);
  assert.equal(quantileOf(addedBetween(after, after), 0.5), undefined);
  assert.equal(quantileOf([{ bound: 1, count: 0 }, { bound: Infinity, count: 4 }], 0.99), 1);
});

test("a node that was started again is no negative rate", () => {
  const before = [{ bound: 1, count: 100 }, { bound: Infinity, count: 100 }];
  const after = [{ bound: 1, count: 2 }, { bound: Infinity, count: 2 }];
  assert.deepEqual(addedBetween(before, after), after);
});
