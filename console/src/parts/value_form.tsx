// The fields of a value and its expiry, for a new entry and for one that is there.

import { type Draft, type Expiry, longestTtlSeconds, problemOfDraft, textOfBytes } from "../api/entries.ts";
import { prettyJson } from "../api/json.ts";
import { duration } from "./format.ts";

interface ValueFieldProperties {
  draft: Draft;
  onChange: (draft: Draft) => void;
}

const longestPreview = 2000;
const fewestRows = 8;
const mostRows = 24;

function BytesPreview({ base64 }: { base64: string }) {
  const text = base64.length < 4 * longestPreview ? textOfBytes(base64) : null;
  if (text === null || text === "") return null;
  return (
    <details>
      <summary>These bytes are text</summary>
      <pre tabIndex={0}>{text}</pre>
    </details>
  );
}

export function ValueField({ draft, onChange }: ValueFieldProperties) {
  const problem = problemOfDraft(draft);
  const isJson = draft.format === "json";
  const rows = Math.min(mostRows, Math.max(fewestRows, draft.text.split("\n", mostRows).length + 1));
  return (
    <div class="value">
      <div class="bar">
        <label for="value">Value</label>
        <label>
          <span class="aside">Kind of value</span>
          <select value={draft.format} onChange={(event) => onChange({ ...draft, format: event.currentTarget.value as Draft["format"] })}>
            <option value="json">JSON</option>
            <option value="bytes">Bytes (base64)</option>
          </select>
        </label>
        {isJson && (
          <button type="button" disabled={problem !== null} onClick={() => onChange({ ...draft, text: prettyJson(draft.text) })}>
            Lay out
          </button>
        )}
      </div>
      <textarea
        id="value"
        rows={rows}
        value={draft.text}
        onInput={(event) => onChange({ ...draft, text: event.currentTarget.value })}
        spellcheck={false}
        autocomplete="off"
        aria-invalid={problem !== null}
        aria-describedby="value-problem"
      />
      <p id="value-problem" class={problem === null ? "fine" : "wrong"} aria-live="polite">
        {problem === null ? (isJson ? "Valid JSON" : "Valid base64") : problem}
      </p>
      {!isJson && problem === null && <BytesPreview base64={draft.text} />}
    </div>
  );
}

interface ExpiryFieldProperties {
  expiry: Expiry;
  /** Seconds that the entry has left; null: it does not expire, or there is none yet. */
  left: number | null;
  onChange: (expiry: Expiry) => void;
}

export function problemOfExpiry(expiry: Expiry): string | null {
  if (expiry.kind !== "in") return null;
  const isFine = Number.isInteger(expiry.seconds) && expiry.seconds >= 1 && expiry.seconds <= longestTtlSeconds;
  return isFine ? null : "a time to live is a whole number of seconds, at least 1";
}

export function ExpiryField({ expiry, left, onChange }: ExpiryFieldProperties) {
  const problem = problemOfExpiry(expiry);
  return (
    <fieldset class="expiry">
      <legend>Expiry</legend>
      <label>
        <input type="radio" name="expiry" checked={expiry.kind === "none"} onChange={() => onChange({ kind: "none" })} /> never
      </label>
      {left !== null && (
        <label>
          <input type="radio" name="expiry" checked={expiry.kind === "keep"} onChange={() => onChange({ kind: "keep" })} /> as it is, in{" "}
          {duration(left)}
        </label>
      )}
      <label>
        <input type="radio" name="expiry" checked={expiry.kind === "in"} onChange={() => onChange({ kind: "in", seconds: 3600 })} /> in
      </label>
      <label>
        <input
          type="number"
          min={1}
          step={1}
          disabled={expiry.kind !== "in"}
          value={expiry.kind === "in" ? (Number.isNaN(expiry.seconds) ? "" : expiry.seconds) : ""}
          onInput={(event) => onChange({ kind: "in", seconds: event.currentTarget.valueAsNumber })}
          aria-invalid={problem !== null}
        />{" "}
        seconds
      </label>
      {problem !== null && <p class="wrong">{problem}</p>}
    </fieldset>
  );
}
