import { useState } from "preact/hooks";

import { ApiError } from "../api/api.ts";
import { type Draft, type Expiry, problemOfDraft, writeEntry } from "../api/entries.ts";
import { type Key, problemOfKey } from "../api/key.ts";
import { useConsole } from "../parts/console.tsx";
import { explain } from "../parts/problem.tsx";
import { useFocus } from "../parts/use_focus.ts";
import { ExpiryField, problemOfExpiry, ValueField } from "../parts/value_form.tsx";

interface NewEntryProperties {
  suggested: string;
  onMade: (key: Key) => void;
  onCancel: () => void;
}

/** Never overwrites: a key that is there already is said. */
export function NewEntry({ suggested, onMade, onCancel }: NewEntryProperties) {
  const { api, say, status } = useConsole();
  const [key, setKey] = useState(suggested);
  const [draft, setDraft] = useState<Draft>({ format: "json", text: "{}" });
  const [expiry, setExpiry] = useState<Expiry>({ kind: "none" });
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const keyField = useFocus<HTMLInputElement>();
  const wrongKey = problemOfKey(key);
  const isReady = wrongKey === null && problemOfDraft(draft) === null && problemOfExpiry(expiry) === null && !isBusy;

  const make = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await writeEntry(api, { text: key }, draft, expiry, null);
      say(`${key} was made.`);
      status.refresh();
      onMade({ text: key });
    } catch (error) {
      const isThere = error instanceof ApiError && error.status === 412;
      setProblem(isThere ? "This key exists already; nothing was changed. Open it to edit it." : explain(error));
      setBusy(false);
    }
  };

  return (
    <form
      class="entry"
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) void make();
      }}
    >
      <h2>New key</h2>
      <label class="field">
        <span>Key</span>
        <input
          class="code"
          value={key}
          ref={keyField}
          onInput={(event) => setKey(event.currentTarget.value)}
          autocomplete="off"
          spellcheck={false}
          aria-describedby="key-problem"
        />
      </label>
      <p id="key-problem" class="hint">
        {wrongKey !== null && key !== "" ? wrongKey : "Any text of up to 1024 bytes."}
      </p>
      <ValueField draft={draft} onChange={setDraft} />
      <ExpiryField expiry={expiry} left={null} onChange={setExpiry} />
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="actions">
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={!isReady}>
          {isBusy ? "Saving…" : "Create"}
        </button>
      </div>
    </form>
  );
}
