// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function count(value: number): string {
  return whole.format(value).replaceAll(",", "\u202f");
}

export function bytes(value: number): string {
  if (value < 1024) return `${Math.round(value)} B`;
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
  const power = Math.min(Math.floor(Math.log(value) / Math.log(1024)), units.length);
  const scaled = value / 1024 ** power;
  return `${scaled.toFixed(scaled < 10 ? 1 : 0)} ${units[power - 1]}`;
}

/** "3 d 4 h": the two largest units. */
export function duration(seconds: number): string {
  const steps: [string, number][] = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const parts: string[] = [];
  let rest = Math.max(0, Math.round(seconds));
  for (const [unit, size] of steps) {
    const times = Math.floor(rest / size);
    if (times > 0 || (unit === "s" && parts.length === 0)) parts.push(`${times} ${unit}`);
    rest -= times * size;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** A short time, from seconds: "420 µs", "1.3 ms", "2 s". */
export function latency(seconds: number): string {
  if (seconds === 0) return "0 s";
  const [unit, size] = seconds < 1e-3 ? ["µs", 1e-6] : seconds < 1 ? ["ms", 1e-3] : ["s", 1];
  const scaled = seconds / (size as number);
  return `${scaled < 10 ? Number(scaled.toFixed(1)) : Math.round(scaled)} ${unit}`;
}

export function rate(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(1)} M/s`;
  if (perSecond >= 1e4) return `${(perSecond / 1e3).toFixed(0)} k/s`;
  return `${perSecond < 10 ? Number(perSecond.toFixed(1)) : Math.round(perSecond)} /s`;
}

/** Of one processor. */
export function share(part: number): string {
  return `${(part * 100).toFixed(part < 0.1 ? 1 : 0)} %`;
}

export function clockTime(time: Date): string {
  return time.toLocaleTimeString("en-GB");
}

export function dateTime(time: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clockTime(time)}`;
}

/** How long ago, roughly. */
export function ago(time: Date, now = new Date()): string {
  const seconds = (now.getTime() - time.getTime()) / 1000;
  if (seconds < 5) return "just now";
  const [largest] = duration(seconds).match(/^\d+ \w+/) ?? [""];
  return `${largest} ago`;
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}
