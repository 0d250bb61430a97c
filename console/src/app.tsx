// The frame: who is signed in, where one is, what the cluster says.

import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";

import { type Api, ApiError } from "./api/api.ts";
import type { Status } from "./api/types.ts";
import { Drafts } from "./drafts.ts";
import { Sampler } from "./metrics_sampler.ts";
import { ConsoleContext } from "./parts/console.tsx";
import { Notices, useNotices } from "./parts/notices.tsx";
import { usePoll } from "./parts/use_poll.ts";
import { linkTo, type Place, usePlace, type View, views } from "./route.ts";
import type { Session } from "./session.ts";
import { chosenTheme, chooseTheme, type Theme } from "./theme.ts";
import { Audit } from "./views/audit.tsx";
import { Backups } from "./views/backups.tsx";
import { Events } from "./views/events.tsx";
import { Keys } from "./views/keys.tsx";
import { Login } from "./views/login.tsx";
import { Members } from "./views/members.tsx";
import { Metrics } from "./views/metrics.tsx";
import { Overview } from "./views/overview.tsx";
import { Tokens } from "./views/tokens.tsx";

const statusEveryMs = 2000;

const titles: Readonly<Record<View, string>> = {
  overview: "Overview",
  keys: "Keys",
  events: "Events",
  metrics: "Metrics",
  members: "Members",
  tokens: "Tokens",
  backups: "Backups",
  audit: "Audit",
};

function ViewOf({ place }: { place: Place }) {
  switch (place.view) {
    case "overview":
      return <Overview />;
    case "keys":
      return <Keys parameters={place.parameters} />;
    case "events":
      return <Events />;
    case "metrics":
      return <Metrics />;
    case "members":
      return <Members />;
    case "tokens":
      return <Tokens />;
    case "backups":
      return <Backups />;
    case "audit":
      return <Audit />;
  }
}

function ThemeChoice() {
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  const choose = (chosen: Theme) => {
    chooseTheme(chosen);
    setTheme(chosen);
  };
  return (
    <label class="theme">
      <span>Colors</span>
      <select value={theme} onChange={(event) => choose(event.currentTarget.value as Theme)}>
        <option value="system">as the system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}

function stateOf(status: Status | undefined, error: unknown): { tone: string; text: string } {
  if (error !== undefined) return { tone: "bad", text: "no answer" };
  if (status === undefined) return { tone: "", text: "connecting" };
  const { leader, members } = status.cluster;
  if (leader === null) return { tone: "bad", text: "no leader" };
  const silent = members.filter((member) => !member.healthy).length;
  if (silent > 0) return { tone: "busy", text: `${silent} of ${members.length} not heard of` };
  return status.storage.writable ? { tone: "good", text: "healthy" } : { tone: "bad", text: "takes no writes" };
}

function Side({ place, status, error, session }: { place: Place; status: Status | undefined; error: unknown; session: Session }) {
  const state = stateOf(status, error);
  return (
    <header class="side">
      <a class="brand" href={linkTo("overview")}>
        <img src="icon.svg" alt="" width="24" height="24" />
        Concord
      </a>
      <p class="where">
        <b>{status?.node ?? "…"}</b>
        <span class={`state ${state.tone}`}>{state.text}</span>
      </p>
      <nav aria-label="Views">
        {views.map((view) => (
          <a key={view} href={linkTo(view)} aria-current={view === place.view ? "page" : undefined}>
            {titles[view]}
          </a>
        ))}
        <a href="../api/docs" target="_blank" rel="noreferrer" class="out">
          API <span aria-hidden="true">↗</span>
          <span class="aside"> (opens another tab)</span>
        </a>
      </nav>
      <div class="foot">
        <ThemeChoice />
        {session.current() !== null && (
          <button type="button" onClick={() => session.leave()}>
            Sign out
          </button>
        )}
      </div>
    </header>
  );
}

/** With a token, or where none is asked for. `api` is another one for each session, so that nothing of one is shown in the next. */
function SignedIn({ api, session }: { api: Api; session: Session }) {
  const place = usePlace();
  const read = useCallback((signal: AbortSignal) => api.data<Status>("GET", "api/v1/status", { signal }), [api]);
  const status = usePoll(read, statusEveryMs);
  const sampler = useMemo(() => new Sampler(api), [api]);
  useEffect(() => sampler.start(), [sampler]);
  const drafts = useMemo(() => new Drafts(), [api]);
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => drafts.isEmpty() || event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [drafts]);
  const { notices, say } = useNotices();
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${titles[place.view]} · ${status.data?.node ?? "Concord"}`;
  }, [place.view, status.data?.node]);
  useEffect(() => {
    // Another view: the keyboard and screen readers begin at its top.
    const isTaken = main.current?.contains(document.activeElement) === true; // by a field of the view
    if (!isFirst.current && !isTaken) main.current?.focus();
    isFirst.current = false;
  }, [place.view]);
  return (
    <ConsoleContext.Provider value={{ api, session, status, sampler, drafts, say }}>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        To the content
      </a>
      <Side place={place} status={status.data} error={status.error} session={session} />
      <main ref={main} id="content" tabIndex={-1}>
        <ViewOf place={place} />
      </main>
      <Notices notices={notices} />
    </ConsoleContext.Provider>
  );
}

interface AppProperties {
  root: URL;
  session: Session;
  makeApi: () => Api;
}

/** Whether the server lets this session in is asked before anything else is: a view that may not be seen is never begun. */
function useAdmission(api: Api): boolean {
  const [admitted, setAdmitted] = useState<Api | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    const enter = () => gone.signal.aborted || setAdmitted(api);
    // A refusal of the token is told to the session; whatever else is wrong is shown by the views.
    api.call("GET", "api/v1/status", { signal: gone.signal }).then(enter, (error: unknown) => {
      if (!(error instanceof ApiError) || error.status !== 401) enter();
    });
    return () => gone.abort();
  }, [api]);
  return admitted === api;
}

function Admission({ api, session }: { api: Api; session: Session }) {
  return useAdmission(api) ? <SignedIn api={api} session={session} /> : <main id="content" aria-busy="true" />;
}

export function App({ root, session, makeApi }: AppProperties) {
  const [turn, again] = useReducer<number, void>((before) => before + 1, 0);
  useEffect(() => session.subscribe(() => again()), [session]);
  const api = useMemo(makeApi, [turn]);
  const refusal = session.refused();
  return refusal === "none" ? <Admission key={turn} api={api} session={session} /> : <Login root={root} session={session} refusal={refusal} />;
}
