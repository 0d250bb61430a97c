// What changes, as it happens. The list is bounded; when it is paused events go on being kept, as many as the list holds.

import { useEffect, useReducer, useRef, useState } from "preact/hooks";

import type { StoreEvent } from "../api/types.ts";
import { prettyJson } from "../api/json.ts";
import { keyOf, keyOfMember, nameOf } from "../api/key.ts";
import { type EventFilter, type FeedState, follow } from "../event_feed.ts";
import { useConsole } from "../parts/console.tsx";
import { Badge, Empty, Time } from "../parts/facts.tsx";
import { clockTime, count, plural } from "../parts/format.ts";
import { explain } from "../parts/problem.tsx";
import { linkTo } from "../route.ts";

const eventTypes = ["put", "delete", "touch", "expire", "put_many", "delete_many", "touch_many", "txn", "restored"] as const;
const mostKept = 500;
/** Events come by thousands; the page is not drawn for each. */
const drawnEveryMs = 200;

interface Kept {
  readonly number: number;
  readonly event: StoreEvent;
  readonly text: string;
}

/** The last events, newest first. */
class Window {
  kept: Kept[] = [];
  total = 0;

  add(event: StoreEvent, text: string): void {
    this.kept.unshift({ number: ++this.total, event, text });
    if (this.kept.length > mostKept) this.kept.pop();
  }
}

function useFeed(filter: EventFilter) {
  const { api } = useConsole();
  const [state, setState] = useState<FeedState>({ kind: "connecting" });
  const [, draw] = useReducer<number, void>((turn) => turn + 1, 0);
  const recent = useRef(new Window());
  useEffect(() => {
    const gone = new AbortController();
    const fresh = new Window();
    recent.current = fresh;
    let timer = 0;
    void follow(api, filter, gone.signal, setState, (event, text) => {
      fresh.add(event, text);
      timer ||= setTimeout(() => {
        timer = 0;
        draw();
      }, drawnEveryMs);
    });
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [api, filter]);
  const clear = () => {
    recent.current.kept = [];
    draw();
  };
  return { state, recent: recent.current, clear };
}

function keysOf(event: StoreEvent): string[] {
  if (event.keys) return event.keys.map((key) => nameOf(keyOf(key)));
  if (event.key !== undefined) return [nameOf({ text: event.key })];
  return event.key_b64 === undefined ? [] : [nameOf({ base64: event.key_b64 })];
}

function KeysOfEvent({ event }: { event: StoreEvent }) {
  const keys = keysOf(event);
  if (event.type === "restored") return <em>all data were replaced by those of a backup</em>;
  if (keys.length !== 1) return <>{plural(keys.length, "key")}: {keys.slice(0, 3).join(", ")}{keys.length > 3 && ", …"}</>;
  const key = event.keys ? keyOf(event.keys[0] ?? "") : keyOfMember(event as { key: string });
  return <a href={linkTo("keys", "text" in key ? { key: key.text } : { key_b64: key.base64 })}>{keys[0]}</a>;
}

function Row({ kept: { event, text } }: { kept: Kept }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <li class="event">
      <div class="line">
        <button type="button" class="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <span class="aside">Details of revision </span>
          <span class="revision">{event.revision === undefined ? "–" : event.revision}</span>
        </button>
        <Time at={event.timestamp}>{clockTime(new Date(event.timestamp))}</Time>
        <span class={`type ${event.type}`}>{event.type}</span>
        <span class="of code">
          <KeysOfEvent event={event} />
        </span>
      </div>
      {isOpen && <pre tabIndex={0}>{prettyJson(text)}</pre>}
    </li>
  );
}

function StateOf({ state, isPaused }: { state: FeedState; isPaused: boolean }) {
  switch (state.kind) {
    case "connecting":
      return <Badge>connecting</Badge>;
    case "live":
      return isPaused ? <Badge tone="busy">paused</Badge> : <Badge tone="good">live</Badge>;
    case "waiting":
      return <Badge tone="bad">tries again</Badge>;
    case "ended":
      return <Badge tone="bad">ended</Badge>;
  }
}

function FilterForm({ onChange }: { onChange: (filter: EventFilter) => void }) {
  const [pattern, setPattern] = useState("");
  const [types, setTypes] = useState<readonly string[]>([]);
  const [after, setAfter] = useState("");
  return (
    <form
      class="filter"
      onSubmit={(event) => {
        event.preventDefault();
        onChange({ pattern, types, after: after === "" ? null : after });
      }}
    >
      <label class="field grow">
        <span>Keys that match (RE2)</span>
        <input class="code" value={pattern} placeholder="^users/" onInput={(event) => setPattern(event.currentTarget.value)} autocomplete="off" spellcheck={false} />
      </label>
      <label class="field">
        <span>After revision</span>
        <input type="number" min={0} step={1} value={after} placeholder="from now" onInput={(event) => setAfter(event.currentTarget.value)} />
      </label>
      <button type="submit">Apply</button>
      <fieldset class="types">
        <legend>Types (none: all)</legend>
        {eventTypes.map((type) => (
          <label key={type}>
            <input
              type="checkbox"
              checked={types.includes(type)}
              onChange={(event) => setTypes(event.currentTarget.checked ? [...types, type] : types.filter((each) => each !== type))}
            />{" "}
            {type}
          </label>
        ))}
      </fieldset>
    </form>
  );
}

function Ending({ state, onFromNow }: { state: FeedState; onFromNow: () => void }) {
  if (state.kind !== "waiting" && state.kind !== "ended") return null;
  const { why } = state;
  return (
    <p class="problem" role="alert">
      {explain(why)}{" "}
      {state.kind === "ended" && (
        <button type="button" onClick={onFromNow}>
          Go on from now
        </button>
      )}
    </p>
  );
}

export function Events() {
  const [filter, setFilter] = useState<EventFilter>({ pattern: "", types: [], after: null });
  const { state, recent, clear } = useFeed(filter);
  /** What is shown while the list is paused. */
  const [frozen, setFrozen] = useState<{ readonly rows: readonly Kept[]; readonly total: number } | null>(null);
  const rows = frozen?.rows ?? recent.kept;
  return (
    <>
      <div class="heading">
        <h1>
          Events <StateOf state={state} isPaused={frozen !== null} />
        </h1>
        <div class="actions">
          <button type="button" onClick={clear} disabled={frozen !== null}>
            Clear
          </button>
          <button type="button" aria-pressed={frozen !== null} onClick={() => setFrozen(frozen === null ? { rows: recent.kept.slice(), total: recent.total } : null)}>
            {frozen === null ? "Pause" : "Go on"}
          </button>
        </div>
      </div>
      <FilterForm
        onChange={(changed) => {
          setFrozen(null);
          setFilter(changed);
        }}
      />
      <Ending state={state} onFromNow={() => setFilter({ ...filter, after: null })} />
      <p class="count" role="status">
        {frozen === null ? `${plural(recent.total, "event")} came; the last ${mostKept} are kept.` : `${count(recent.total - frozen.total)} new ones wait.`}
      </p>
      {rows.length === 0 && state.kind === "live" && <Empty>Nothing has changed since.</Empty>}
      <ul class="events" aria-label="Events, newest first">
        {rows.map((kept) => (
          <Row key={kept.number} kept={kept} />
        ))}
      </ul>
    </>
  );
}
