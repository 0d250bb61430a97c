// Two people changed one entry: both values side by side, and three ways on.

import type { Draft, Entry } from "../api/entries.ts";
import { prettyJson } from "../api/json.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Problem } from "../parts/problem.tsx";

interface ConflictProperties {
  mine: Draft;
  /** null: it is gone. */
  theirs: Entry | null;
  isBusy: boolean;
  error: unknown;
  onOverwrite: () => void;
  onTakeTheirs: () => void;
  onClose: () => void;
}

interface Line {
  readonly text: string;
  readonly isOther: boolean;
}

/** The lines of `text`, those that do not stand in `other` marked: no diff, but it shows where to look. */
function markLines(text: string, other: string): Line[] {
  const left = new Map<string, number>();
  for (const line of other.split("\n")) left.set(line, (left.get(line) ?? 0) + 1);
  return text.split("\n").map((line) => {
    const times = left.get(line) ?? 0;
    if (times > 0) left.set(line, times - 1);
    return { text: line, isOther: times === 0 };
  });
}

function Side({ title, text, other }: { title: string; text: string; other: string }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <pre tabIndex={0}>
        {markLines(text, other).map((line, i) =>
          line.isOther ? (
            <mark key={i}>{`${line.text}\n`}</mark>
          ) : (
            `${line.text}\n`
          ),
        )}
      </pre>
    </section>
  );
}

/** Laid out as what the server has is, so that only what differs is marked. */
function laidOut({ format, text }: Draft): string {
  return format === "json" ? prettyJson(text) : text;
}

/** Precondition: `mine` is valid. */
export function Conflict({ mine, theirs, isBusy, error, onOverwrite, onTakeTheirs, onClose }: ConflictProperties) {
  const typed = laidOut(mine);
  return (
    <Dialog title="This key was changed meanwhile" onClose={onClose} isWide>
      <p>Nothing was saved. Somebody else wrote after you had opened this key.</p>
      <div class="sides">
        {theirs === null ? (
          <section>
            <h3>On the server</h3>
            <p class="empty">The key is gone.</p>
          </section>
        ) : (
          <Side title={`On the server, revision ${theirs.revision}`} text={theirs.value.text} other={typed} />
        )}
        <Side title="Yours" text={typed} other={theirs?.value.text ?? ""} />
      </div>
      <Problem error={error} />
      <div class="actions">
        <button type="button" onClick={onClose} autofocus>
          Go on editing
        </button>
        <button type="button" onClick={onTakeTheirs} disabled={isBusy}>
          {theirs === null ? "Drop mine" : "Take the server's"}
        </button>
        <button type="button" class="danger" onClick={onOverwrite} disabled={isBusy}>
          {theirs === null ? "Create it with mine" : "Overwrite with mine"}
        </button>
      </div>
    </Dialog>
  );
}
