-- What wrk measured, as one line of JSON that loads.py reads.
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'json {"per_second":%.1f,"p50_us":%.1f,"p99_us":%.1f,"errors":%d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
