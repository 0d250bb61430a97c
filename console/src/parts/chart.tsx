// A line chart as SVG: its colors follow the page's, it is sharp at any size, and what it shows also stands beside it as text.

import { useEffect, useRef, useState } from "preact/hooks";

import { clockTime } from "./format.ts";

export interface Line {
  readonly name: string;
  /** One at each of the chart's times; undefined: nothing was measured. */
  readonly values: readonly (number | undefined)[];
}

interface ChartProperties {
  title: string;
  times: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
  /** How much time the whole width stands for. */
  spanMs: number;
  /** The axis ends in round numbers of powers of 1024. */
  isBinary?: boolean;
}

const height = 132;
const margin = { top: 8, right: 8, bottom: 20, left: 58 };
/** After a longer silence, such as a hidden page, lines are broken. */
const longestGapMs = 7000;

/** A number not below `value` that is round, and whose half is: 1, 2, 3, 4, 6 or 8 times a power of ten. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 3, 4, 6, 8, 10].find((each) => each * power >= value * 0.999_999) ?? 10;
  return step * power;
}

function roundUpBytes(value: number): number {
  const unit = 1024 ** Math.max(0, Math.floor(Math.log(Math.max(1, value)) / Math.log(1024)));
  return roundUp(value / unit) * unit;
}

/** "M x y L x y ..." */
function pathOf(line: Line, times: readonly number[], x: (at: number) => number, y: (value: number) => number): string {
  let path = "";
  let lastAt: number | null = null;
  line.values.forEach((value, i) => {
    const at = times[i];
    if (value === undefined || at === undefined) {
      lastAt = null;
      return;
    }
    const isNew: boolean = lastAt === null || at - lastAt > longestGapMs;
    const point = `${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    // A value that stands alone is seen as a short dash.
    path += isNew ? `M${point}m-1.5 0h3M${point}` : `L${point}`;
    lastAt = at;
  });
  return path;
}

function useWidth() {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(360);
  useEffect(() => {
    if (element.current === null) return undefined;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.max(200, Math.round(entry.contentRect.width))));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return { element, width };
}

function nearest(times: readonly number[], at: number): number {
  let best = 0;
  times.forEach((time, i) => {
    if (Math.abs(time - at) < Math.abs((times[best] ?? 0) - at)) best = i;
  });
  return best;
}

export function Chart({ title, times, lines, format, spanMs, isBinary = false }: ChartProperties) {
  const { element, width } = useWidth();
  const [pointed, setPointed] = useState<number | null>(null);
  const end = times.at(-1) ?? 0;
  const begin = end - spanMs;
  const most = Math.max(0, ...lines.flatMap((line) => line.values.filter((value) => value !== undefined)));
  const top = isBinary ? roundUpBytes(most) : roundUp(most);
  const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
  const x = (at: number) => margin.left + ((at - begin) / spanMs) * inner.width;
  const y = (value: number) => margin.top + (1 - value / top) * inner.height;
  const shownAt = pointed !== null && pointed < times.length ? pointed : times.length - 1;
  const shown = (line: Line) => {
    const value = line.values[shownAt];
    return value === undefined ? "–" : format(value);
  };
  const said = lines.map((line) => `${line.name} ${shown(line)}`).join(", ");
  return (
    <figure class="chart">
      <figcaption>
        <h2>{title}</h2>
        <p>
          {lines.map((line, i) => (
            <span key={line.name} class={`key line-${i}`}>
              {line.name} <b>{shown(line)}</b>
            </span>
          ))}
        </p>
      </figcaption>
      <div ref={element}>
        <svg
          viewBox={`0 0 ${width} ${height}`}
          height={height}
          role="img"
          aria-label={`${title}: ${said}`}
          onPointerMove={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            const ratio = (((event.clientX - box.left) / box.width) * width - margin.left) / inner.width;
            setPointed(times.length === 0 ? null : nearest(times, begin + ratio * spanMs));
          }}
          onPointerLeave={() => setPointed(null)}
        >
          {[0, 0.5, 1].map((share) => (
            <g key={share}>
              <path class="grid" d={`M${margin.left} ${y(share * top)}h${inner.width}`} />
              <text class="scale" x={margin.left - 6} y={y(share * top) + 4} text-anchor="end">
                {format(share * top)}
              </text>
            </g>
          ))}
          {end > 0 && (
            <>
              <text class="scale" x={margin.left} y={height - 4}>
                {clockTime(new Date(begin))}
              </text>
              <text class="scale" x={width - margin.right} y={height - 4} text-anchor="end">
                {clockTime(new Date(pointed === null ? end : (times[shownAt] ?? end)))}
              </text>
            </>
          )}
          {lines.map((line, i) => (
            <path key={line.name} class={`line line-${i}`} d={pathOf(line, times, x, y)} />
          ))}
          {pointed !== null && <path class="pointer" d={`M${x(times[shownAt] ?? end)} ${margin.top}v${inner.height}`} />}
        </svg>
      </div>
    </figure>
  );
}
