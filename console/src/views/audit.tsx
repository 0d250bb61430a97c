// Who did what: the audit log of the node that is asked. It is read when somebody asks for it and not by itself: with audit_log.log_reads
// each look is an entry too.

import { useCallback, useState } from "preact/hooks";

import { ApiError } from "../api/api.ts";
import {
  type AuditEntry,
  type AuditFilter,
  auditParameters,
  type AuditStats,
  type AuditVerification,
  everything,
  readAuditEntries,
  type ShownAuditEntry,
} from "../api/audit.ts";
import { prettyJson } from "../api/json.ts";
import { nameOf } from "../api/key.ts";
import { useConsole } from "../parts/console.tsx";
import { Download } from "../parts/download.tsx";
import { Badge, Empty, Facts, Time } from "../parts/facts.tsx";
import { bytes, count, dateTime, plural } from "../parts/format.ts";
import { Problem } from "../parts/problem.tsx";
import { usePoll } from "../parts/use_poll.ts";
import { linkTo } from "../route.ts";

const mostShown = 200;
const results = ["ok", "not_found", "unauthorized", "forbidden", "error"] as const;

function FilterForm({ onChange }: { onChange: (filter: AuditFilter) => void }) {
  const [filter, setFilter] = useState(everything);
  const set = (changed: Partial<AuditFilter>) => setFilter((before) => ({ ...before, ...changed }));
  const clear = () => {
    setFilter(everything);
    onChange(everything);
  };
  return (
    <form
      class="filter"
      onSubmit={(event) => {
        event.preventDefault();
        onChange({ ...filter });
      }}
    >
      <label class="field grow">
        <span>Operation</span>
        <input class="code" value={filter.operation} placeholder="token_create" onInput={(event) => set({ operation: event.currentTarget.value })} autocomplete="off" spellcheck={false} />
      </label>
      <label class="field grow">
        <span>User</span>
        <input class="code" value={filter.user} placeholder="token:…, anonymous" onInput={(event) => set({ user: event.currentTarget.value })} autocomplete="off" spellcheck={false} />
      </label>
      <label class="field">
        <span>Result</span>
        <select value={filter.result} onChange={(event) => set({ result: event.currentTarget.value })}>
          <option value="">all</option>
          {results.map((result) => (
            <option key={result} value={result}>
              {result === "error" ? "whatever failed" : result}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>From</span>
        <input type="datetime-local" value={filter.from} onInput={(event) => set({ from: event.currentTarget.value })} />
      </label>
      <label class="field">
        <span>To</span>
        <input type="datetime-local" value={filter.to} onInput={(event) => set({ to: event.currentTarget.value })} />
      </label>
      <button type="submit">Apply</button>
      <button type="button" onClick={clear}>
        Clear
      </button>
    </form>
  );
}

function Result({ entry: { result, error } }: { entry: AuditEntry }) {
  const tone = result === "ok" ? "good" : result === "not_found" ? "plain" : "bad";
  return <Badge tone={tone}>{result === "error" && error !== undefined ? error : result}</Badge>;
}

function KeyOf({ entry: { key, key_b64, key_hash } }: { entry: AuditEntry }) {
  if (key !== undefined) return <a href={linkTo("keys", { key })}>{nameOf({ text: key })}</a>;
  if (key_b64 !== undefined) return <a href={linkTo("keys", { key_b64 })}>{nameOf({ base64: key_b64 })}</a>;
  // The first digits tell entries of one key from those of others.
  return key_hash === undefined ? <>–</> : <abbr title={key_hash}>{key_hash.slice(0, 15)}…</abbr>;
}

function EntryRow({ shown: { entry, text } }: { shown: ShownAuditEntry }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <tr>
        <th scope="row">
          <button type="button" class="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            <span class="aside">Details of </span>
            <Time at={entry.timestamp}>{dateTime(new Date(entry.timestamp))}</Time>
          </button>
        </th>
        <td class="code">{entry.operation}</td>
        <td>
          <Result entry={entry} />
        </td>
        <td class="code">{entry.user}</td>
        <td>{entry.client ?? "–"}</td>
        <td class="number">{entry.revision === undefined ? "–" : entry.revision}</td>
        <td class="code">
          <KeyOf entry={entry} />
        </td>
      </tr>
      {isOpen && (
        <tr class="details">
          <td colSpan={7}>
            <pre tabIndex={0}>{prettyJson(text)}</pre>
          </td>
        </tr>
      )}
    </>
  );
}

function EntryTable({ entries }: { entries: readonly ShownAuditEntry[] }) {
  return (
    <div class="scroll" role="region" aria-label="Table of audit entries" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {["Time", "Operation", "Result", "User", "Address", "Revision", "Key"].map((name) => (
              <th key={name} scope="col" class={name === "Revision" ? "number" : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {entries.map((shown) => (
            <EntryRow key={shown.entry.event_id} shown={shown} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What reading all files found. */
function Verdict({ verification: { valid, files, entries, problems } }: { verification: AuditVerification }) {
  const read = `${plural(files, "file")} with ${plural(entries, "entry", "entries")}`;
  if (valid) {
    return (
      <p role="status">
        <Badge tone="good">valid</Badge> {read}: nothing was changed, removed or put in.
      </p>
    );
  }
  return (
    <div class="problem" role="alert">
      <p>The log is NOT as it was written ({read}):</p>
      <ul>
        {problems.map(({ file, line, problem }) => (
          <li key={`${file}:${line}`}>
            {file !== "" && <code>{line === 0 ? file : `${file}:${line}`}</code>} {problem}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Stats({ stats }: { stats: AuditStats }) {
  return (
    <>
      {stats.problem !== undefined && (
        <p class="problem" role="alert">
          Nothing can be written: {stats.problem}
        </p>
      )}
      <Facts
        facts={[
          ["Directory", <code>{stats.log_dir}</code>],
          ["Files", `${count(stats.files)} (${bytes(stats.total_size)})`],
          ["Written since the start", count(stats.entries)],
          ["Waiting", bytes(stats.queued)],
          ["Dropped", count(stats.dropped)],
        ]}
      />
    </>
  );
}

interface Look {
  readonly entries: readonly ShownAuditEntry[];
  readonly stats: AuditStats;
}

export function Audit() {
  const { api, say, status } = useConsole();
  const [filter, setFilter] = useState(everything);
  const read = useCallback(
    async (signal: AbortSignal): Promise<Look> => {
      const parameters = auditParameters(filter);
      parameters.set("limit", String(mostShown));
      const { text } = await api.call("GET", `api/v1/audit?${parameters}`, { signal });
      return { entries: readAuditEntries(text), stats: await api.data<AuditStats>("GET", "api/v1/audit/stats", { signal }) };
    },
    [api, filter],
  );
  const look = usePoll(read, 0);
  const [verification, setVerification] = useState<AuditVerification | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const verify = async () => {
    setBusy(true);
    setError(undefined);
    setVerification(null);
    try {
      const found = await api.data<AuditVerification>("POST", "api/v1/audit/verify");
      setVerification(found);
      say(found.valid ? "The audit log is valid." : "The audit log is NOT valid.");
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  if (look.error instanceof ApiError && look.error.status === 404) {
    return (
      <>
        <h1>Audit</h1>
        <Empty>This node keeps no audit log (audit_log.enabled).</Empty>
      </>
    );
  }
  return (
    <>
      <div class="heading">
        <h1>Audit</h1>
        <div class="actions">
          <Download path={`api/v1/audit/export?${auditParameters(filter)}`} name={`audit-${status.data?.node ?? "node"}.jsonl`} label="Export" aside="as JSON lines" onError={setError} />
          <button type="button" onClick={() => void verify()} disabled={isBusy}>
            {isBusy ? "Reading all files…" : "Verify"}
          </button>
          <button type="button" onClick={look.refresh}>
            Read again
          </button>
        </div>
      </div>
      <Problem error={error ?? look.error} />
      {verification !== null && <Verdict verification={verification} />}
      {look.data && <Stats stats={look.data.stats} />}
      <FilterForm onChange={setFilter} />
      {look.data && (
        <p class="count" role="status">
          {look.data.entries.length === mostShown
            ? `The newest ${mostShown}; an export has them all.`
            : `${plural(look.data.entries.length, "entry", "entries")}, newest first.`}
        </p>
      )}
      {look.data && look.data.entries.length > 0 && <EntryTable entries={look.data.entries} />}
      <p class="hint">Each node records what is asked of it: of a cluster, look at all. It needs the permission admin.</p>
    </>
  );
}
