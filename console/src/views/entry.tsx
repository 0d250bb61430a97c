// One entry: its value to edit, what is known of it. It is looked at again and again: a change of somebody else is shown at once,
// never overwritten unasked, and never takes away what was typed.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { ApiError } from "../api/api.ts";
import { deleteEntry, type Draft, type Entry, type Expiry, fetchEntry, fetchIfChanged, problemOfDraft, writeEntry } from "../api/entries.ts";
import { idOf, type Key, nameOf } from "../api/key.ts";
import type { Unsaved } from "../drafts.ts";
import { useConsole } from "../parts/console.tsx";
import { Confirm } from "../parts/dialog.tsx";
import { Facts } from "../parts/facts.tsx";
import { bytes, duration } from "../parts/format.ts";
import { Problem } from "../parts/problem.tsx";
import { ExpiryField, problemOfExpiry, ValueField } from "../parts/value_form.tsx";
import { Conflict } from "./conflict.tsx";

const lookAgainMs = 2000;

interface EntryViewProperties {
  of: Key;
  onGone: () => void;
}

/** Seconds left of what had `ttl` seconds when it was read. */
function useLeft(ttl: number | null, readAt: number): number | null {
  const [, tick] = useState(0);
  useEffect(() => {
    if (ttl === null) return undefined;
    const timer = setInterval(() => tick((turn) => turn + 1), 1000);
    return () => clearInterval(timer);
  }, [ttl, readAt]);
  return ttl === null ? null : Math.max(0, ttl - Math.floor((Date.now() - readAt) / 1000));
}

function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

export function EntryView({ of: key, onGone }: EntryViewProperties) {
  const { api, drafts } = useConsole();
  const [entry, setEntry] = useState<Entry | null>(null);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const gone = new AbortController();
    fetchEntry(api, key, gone.signal).then(setEntry, (problem: unknown) => gone.signal.aborted || setError(problem));
    return () => gone.abort();
  }, []);
  const isEdited = drafts.get(idOf(key)) !== undefined;
  if (entry !== null || (isEdited && isNotFound(error))) return <Editor of={key} found={entry} onGone={onGone} />;
  return (
    <div class="entry">
      <h2 class="code">{nameOf(key)}</h2>
      {isNotFound(error) ? <p class="empty">There is no such key: it was deleted, or it expired.</p> : <Problem error={error} />}
    </div>
  );
}

/** Tells what is on the server once it is no longer of that revision: another entry, or null when it is gone. */
function useOthers(key: Key, revision: string, isAsking: boolean, onOther: (other: Entry | null) => void): void {
  const { api } = useConsole();
  const tell = useRef(onOther);
  tell.current = onOther;
  useEffect(() => {
    if (!isAsking) return undefined;
    const gone = new AbortController();
    const timer = setInterval(() => {
      if (document.hidden) return;
      fetchIfChanged(api, key, revision, gone.signal).then(
        (other) => other !== null && !gone.signal.aborted && tell.current(other),
        (error: unknown) => isNotFound(error) && !gone.signal.aborted && tell.current(null),
      );
    }, lookAgainMs);
    return () => {
      gone.abort();
      clearInterval(timer);
    };
  }, [api, revision, isAsking]);
}

function unchanged(entry: Entry): Unsaved {
  return { base: entry, readAt: Date.now(), draft: entry.value, expiry: { kind: entry.ttl === null ? "none" : "keep" } };
}

/** `found` is what is there now, null for nothing; what was typed before goes on from where it was. */
function Editor({ of: key, found, onGone }: EntryViewProperties & { found: Entry | null }) {
  const { api, drafts, say, status } = useConsole();
  const id = idOf(key);
  const [first] = useState(() => drafts.get(id) ?? (found && unchanged(found)));
  if (first === null) throw new Error("an entry is edited that is not there");
  const [base, setBase] = useState(first.base);
  const [readAt, setReadAt] = useState(first.readAt);
  const [draft, setDraft] = useState<Draft>(first.draft);
  const [expiry, setExpiry] = useState<Expiry>(first.expiry);
  /** Of somebody else, since `base` was read; null: it is gone. */
  const [other, setOther] = useState<Entry | null | undefined>(found?.revision === first.base.revision ? undefined : found);
  const [isDeciding, setDeciding] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const left = useLeft(base.ttl, readAt);

  const isTyped = draft.format !== base.value.format || draft.text !== base.value.text;
  const isExpiryChanged = expiry.kind === "in" || (expiry.kind === "none") !== (base.ttl === null);
  const isChanged = isTyped || isExpiryChanged;
  useEffect(() => {
    if (isChanged) drafts.keep(id, { base, readAt, draft, expiry });
    else drafts.drop(id);
  }, [drafts, id, isChanged, base, readAt, draft, expiry]);
  const isValid = problemOfDraft(draft) === null && problemOfExpiry(expiry) === null;

  const show = useCallback((entry: Entry) => {
    const fresh = unchanged(entry);
    setBase(fresh.base);
    setReadAt(fresh.readAt);
    setDraft(fresh.draft);
    setExpiry(fresh.expiry);
    setOther(undefined);
    setError(undefined);
  }, []);

  useOthers(key, (other ?? base).revision, other !== null && !isBusy, (found) => {
    if (found !== null && !isChanged) {
      show(found);
      say(`${nameOf(key)} was changed by somebody else, and is shown as it is now.`);
    } else {
      setOther(found);
    }
  });

  const leave = () => {
    drafts.drop(id);
    onGone();
  };

  /** `over`: what is replaced. */
  const save = async (over: Entry | null) => {
    setBusy(true);
    setError(undefined);
    const kept: Expiry = over === null && expiry.kind === "keep" ? { kind: "in", seconds: Math.max(1, left ?? 1) } : expiry;
    try {
      await writeEntry(api, key, draft, kept, over?.revision ?? null);
      show(await fetchEntry(api, key));
      setDeciding(false);
      say(`${nameOf(key)} was saved.`);
      status.refresh();
    } catch (problem) {
      if (problem instanceof ApiError && problem.status === 412) {
        await decide();
      } else {
        setError(problem);
      }
    } finally {
      setBusy(false);
    }
  };

  /** Somebody was quicker: both are shown. */
  const decide = async () => {
    try {
      setOther(await fetchEntry(api, key));
    } catch (problem) {
      if (!isNotFound(problem)) return setError(problem);
      setOther(null);
    }
    setDeciding(true);
  };

  const revert = () => {
    setDraft(base.value);
    setExpiry({ kind: base.ttl === null ? "none" : "keep" });
    setError(undefined);
  };

  const trySave = () => {
    if (!isChanged || !isValid || isBusy) return;
    if (other === undefined) void save(base);
    else void decide();
  };

  return (
    <form
      class="entry"
      onSubmit={(event) => {
        event.preventDefault();
        trySave();
      }}
      onKeyDown={(event) => {
        if (!(event.ctrlKey || event.metaKey) || event.key !== "s") return;
        event.preventDefault();
        trySave();
      }}
    >
      <h2 class="code">{nameOf(key)}</h2>
      <Facts
        facts={[
          ["Revision", base.revision],
          ["Created at", base.createRevision],
          ["Version", base.version],
          ["Size", bytes(base.sizeBytes)],
          ["Expires", left === null ? "never" : `in ${duration(left)}`],
        ]}
      />
      <ValueField draft={draft} onChange={setDraft} />
      <ExpiryField expiry={expiry} left={base.ttl === null ? null : left} onChange={setExpiry} />
      <div role="alert">
        {other !== undefined && (
          <p class="warning">
            {other === null ? "Meanwhile this key was deleted, or it expired." : `Meanwhile somebody changed this key (revision ${other.revision}).`}{" "}
            {isChanged && other !== null && "What you typed is still here. "}
            <button type="button" onClick={() => (other === null ? leave() : isChanged ? void decide() : show(other))}>
              {other === null ? "Close" : isChanged ? "Compare" : "Show it"}
            </button>
          </p>
        )}
      </div>
      <Problem error={error} />
      <div class="actions">
        <button type="button" class="danger" disabled={isBusy || other === null} onClick={() => setDeleting(true)}>
          Delete…
        </button>
        <span class="grow" />
        <button type="button" disabled={!isChanged || isBusy} onClick={revert}>
          Revert
        </button>
        <button type="submit" class="primary" disabled={!isChanged || !isValid || isBusy} title="Ctrl+S" aria-keyshortcuts="Control+S">
          {isBusy ? "Saving…" : other === null ? "Create again" : "Save"}
        </button>
      </div>
      {isDeciding && other !== undefined && (
        <Conflict
          mine={draft}
          theirs={other}
          isBusy={isBusy}
          error={error}
          onOverwrite={() => void save(other)}
          onTakeTheirs={() => {
            setDeciding(false);
            if (other === null) leave();
            else show(other);
          }}
          onClose={() => setDeciding(false)}
        />
      )}
      {isDeleting && (
        <Confirm
          title="Delete this key?"
          action="Delete"
          isDangerous
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            try {
              await deleteEntry(api, key, base.revision);
            } catch (problem) {
              if (!(problem instanceof ApiError) || problem.status !== 412) throw problem;
              throw new Error("Meanwhile somebody changed this key: nothing was deleted. Look at it again first.");
            }
            say(`${nameOf(key)} was deleted.`);
            status.refresh();
            leave();
          }}
        >
          <p>
            <code>{nameOf(key)}</code>, as it is at revision {base.revision}.
          </p>
        </Confirm>
      )}
    </form>
  );
}
