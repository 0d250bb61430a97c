// The keys: a list of those that match, and the entry of the one that is chosen.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { idOf, type Key, nameOf } from "../api/key.ts";
import { useConsole } from "../parts/console.tsx";
import { Empty } from "../parts/facts.tsx";
import { plural } from "../parts/format.ts";
import { Problem } from "../parts/problem.tsx";
import { usePoll } from "../parts/use_poll.ts";
import { go, linkTo } from "../route.ts";
import { EntryView } from "./entry.tsx";
import { countKeys, findKeys, type KeyPage, type Search, type SearchMode, searchModes, searchOf } from "./key_search.ts";
import { NewEntry } from "./new_entry.tsx";

const searchDelayMs = 250;

function parametersOf(search: Search, key: Key | null): Record<string, string> {
  return {
    ...(search.mode === "prefix" ? {} : { by: search.mode }),
    ...(search.text === "" ? {} : { search: search.text }),
    ...(key === null ? {} : "text" in key ? { key: key.text } : { key_b64: key.base64 }),
  };
}

function chosenKey(parameters: URLSearchParams): Key | null {
  const text = parameters.get("key");
  if (text !== null) return { text };
  const base64 = parameters.get("key_b64");
  return base64 === null ? null : { base64 };
}

/** What is open stays open. */
function SearchForm({ search, chosen }: { search: Search; chosen: Key | null }) {
  const [text, setText] = useState(search.text);
  const [mode, setMode] = useState<SearchMode>(search.mode);
  useEffect(() => {
    setText(search.text);
    setMode(search.mode);
  }, [search.text, search.mode]);
  useEffect(() => {
    if (text === search.text && mode === search.mode) return undefined;
    // A filter is searched for when it is whole: by Enter.
    if (mode === "filter" && text !== "") return undefined;
    const timer = setTimeout(() => go("keys", parametersOf({ mode, text }, chosen)), searchDelayMs);
    return () => clearTimeout(timer);
  }, [text, mode, search.text, search.mode]);
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        go("keys", parametersOf({ mode, text }, chosen));
      }}
    >
      <label>
        <span class="aside">How to search</span>
        <select value={mode} onChange={(event) => setMode(event.currentTarget.value as SearchMode)}>
          {Object.entries(searchModes).map(([each, name]) => (
            <option key={each} value={each}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="grow">
        <span class="aside">What to search for</span>
        <input
          type="search"
          value={text}
          placeholder={mode === "filter" ? '{"age": {"$gte": 18}}, then Enter' : "all keys"}
          onInput={(event) => setText(event.currentTarget.value)}
          autocomplete="off"
          spellcheck={false}
        />
      </label>
    </form>
  );
}

interface KeyListProperties {
  page: KeyPage;
  search: Search;
  chosen: Key | null;
}

/** One stop of the tab key; within it arrows, Home and End move, Enter opens. */
function KeyList({ page, search, chosen }: KeyListProperties) {
  const list = useRef<HTMLUListElement>(null);
  const chosenAt = chosen === null ? -1 : page.keys.findIndex((key) => idOf(key) === idOf(chosen));
  const move = (event: KeyboardEvent) => {
    const links = [...(list.current?.querySelectorAll("a") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    links[Math.max(0, Math.min(to, links.length - 1))]?.focus();
  };
  return (
    <ul ref={list} class="keys" aria-label="Keys" onKeyDown={move}>
      {page.keys.map((key, i) => (
        <li key={idOf(key)}>
          <a
            href={linkTo("keys", parametersOf(search, key))}
            tabIndex={i === Math.max(0, chosenAt) ? 0 : -1}
            aria-current={i === chosenAt ? "true" : undefined}
            title={nameOf(key)}
          >
            {"text" in key ? nameOf(key) : <span class="binary">{nameOf(key)}</span>}
          </a>
        </li>
      ))}
    </ul>
  );
}

/** How many match: counted now and then where they don't fit one page; nothing where that takes the server too long. */
function Count({ search, whole }: { search: Search; whole: number | null }) {
  const { api } = useConsole();
  const { mode, text } = search;
  const read = useCallback(
    async (signal: AbortSignal) => whole ?? (await countKeys(api, { mode, text }, signal)),
    [api, mode, text, whole],
  );
  const { data: found } = usePoll(read, whole === null ? 10_000 : 0);
  return (
    <p class="count" aria-live="polite">
      {found === undefined ? "\u00a0" : plural(found, "key")}
    </p>
  );
}

export function Keys({ parameters }: { parameters: URLSearchParams }) {
  const { api, status } = useConsole();
  const search = searchOf(parameters);
  const chosen = chosenKey(parameters);
  const isNew = parameters.has("new");
  const { mode, text } = search;
  /** Where each page up to the shown one begins. */
  const [cursors, setCursors] = useState<{ of: string; pages: (string | null)[] }>({ of: "", pages: [null] });
  const searchId = `${mode} ${text}`;
  const pages = cursors.of === searchId ? cursors.pages : [null];
  const cursor = pages.at(-1) ?? null;
  const read = useCallback((signal: AbortSignal) => findKeys(api, { mode, text }, cursor, signal), [api, mode, text, cursor]);
  const found = usePoll(read, 0);
  const revision = status.data?.storage.revision;
  useEffect(() => found.refresh(), [revision, found.refresh]);
  const turn = (to: (string | null)[]) => setCursors({ of: searchId, pages: to });
  return (
    <>
      <div class="heading">
        <h1>Keys</h1>
        <a class="button primary" href={linkTo("keys", { ...parametersOf(search, null), new: "" })}>
          New key
        </a>
      </div>
      <div class="browser">
        <section class="found" aria-label="Search">
          <SearchForm search={search} chosen={chosen} />
          <Count search={search} whole={found.data && pages.length === 1 && !found.data.nextCursor ? found.data.keys.length : null} />
          <Problem error={found.error} />
          {found.data?.keys.length === 0 && <Empty>{text === "" ? "There are no keys yet." : "No key matches."}</Empty>}
          {found.data && <KeyList page={found.data} search={search} chosen={chosen} />}
          {(pages.length > 1 || found.data?.nextCursor) && (
            <nav class="pages" aria-label="Pages">
              <button type="button" disabled={pages.length === 1} onClick={() => turn(pages.slice(0, -1))}>
                Previous
              </button>
              <span>Page {pages.length}</span>
              <button type="button" disabled={!found.data?.nextCursor} onClick={() => turn([...pages, found.data?.nextCursor ?? null])}>
                Next
              </button>
            </nav>
          )}
        </section>
        <section class="chosen" aria-label="Entry">
          {isNew ? (
            <NewEntry
              suggested={mode === "prefix" ? text : ""}
              onMade={(key) => go("keys", parametersOf(search, key))}
              onCancel={() => go("keys", parametersOf(search, null))}
            />
          ) : chosen === null ? (
            <Empty>Choose a key to see its value.</Empty>
          ) : (
            <EntryView key={idOf(chosen)} of={chosen} onGone={() => go("keys", parametersOf(search, null))} />
          )}
        </section>
      </div>
    </>
  );
}
