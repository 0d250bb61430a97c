// Backups in the directory of the node that is asked.

import { useCallback, useRef, useState } from "preact/hooks";

import { type Api, ApiError } from "../api/api.ts";
import type { Backup } from "../api/types.ts";
import { useConsole } from "../parts/console.tsx";
import { Confirm } from "../parts/dialog.tsx";
import { Download } from "../parts/download.tsx";
import { Badge, Empty, Time } from "../parts/facts.tsx";
import { bytes, count, dateTime, plural } from "../parts/format.ts";
import { explain, Problem } from "../parts/problem.tsx";
import { usePoll } from "../parts/use_poll.ts";

type Verdict = { readonly kind: "checking" } | { readonly kind: "valid" } | { readonly kind: "invalid"; readonly why: string };

/** What the server takes at once, whatever its limit of a body is. */
const uploadedAtOnceBytes = 4 << 20;

interface Listed {
  readonly backups: readonly Backup[];
  readonly damaged?: readonly string[];
}

/** In order; the file gets its name on the server when the last part was looked through. */
async function uploadInParts(api: Api, file: File): Promise<void> {
  for (let offset = 0; ; offset += uploadedAtOnceBytes) {
    const end = Math.min(offset + uploadedAtOnceBytes, file.size);
    const isLast = end === file.size;
    const query = file.size <= uploadedAtOnceBytes ? "" : `?offset=${offset}${isLast ? "" : "&more=true"}`;
    await api.call("PUT", pathOf(file.name) + query, { body: file.slice(offset, end) });
    if (isLast) return;
  }
}

function pathOf(name: string, rest = ""): string {
  return `api/v1/backups/${encodeURIComponent(name)}${rest}`;
}

function VerdictOf({ verdict }: { verdict: Verdict | undefined }) {
  if (verdict === undefined) return null;
  if (verdict.kind === "checking") return <Badge tone="busy">checking</Badge>;
  return verdict.kind === "valid" ? <Badge tone="good">valid</Badge> : <Badge tone="bad">not valid: {verdict.why}</Badge>;
}

function Cleanup({ onDone, onClose }: { onDone: (removed: string) => void; onClose: () => void }) {
  const { api } = useConsole();
  const [keepCount, setKeepCount] = useState(10);
  const [keepDays, setKeepDays] = useState(30);
  return (
    <Confirm
      title="Clean up backups"
      action="Clean up"
      isDangerous
      onClose={onClose}
      onConfirm={async () => {
        const body = JSON.stringify({ keep_count: keepCount, keep_days: keepDays });
        const { deleted } = await api.data<{ deleted: number }>("POST", "api/v1/backups/cleanup", { body });
        onDone(`${plural(deleted, "backup was", "backups were")} removed.`);
      }}
    >
      <p>What either rule keeps is kept; all other backups of this node's directory are removed.</p>
      <label class="field">
        <span>Keep the newest</span>
        <input type="number" min={0} step={1} required value={keepCount} onInput={(event) => setKeepCount(event.currentTarget.valueAsNumber)} />
      </label>
      <label class="field">
        <span>Keep those of the last days</span>
        <input type="number" min={0} step={1} required value={keepDays} onInput={(event) => setKeepDays(event.currentTarget.valueAsNumber)} />
      </label>
    </Confirm>
  );
}

function BackupTable({ backups, refresh }: { backups: readonly Backup[]; refresh: () => void }) {
  const { api, say, status } = useConsole();
  const [verdicts, setVerdicts] = useState<Readonly<Record<string, Verdict>>>({});
  const [restored, setRestored] = useState<Backup | null>(null);
  const [error, setError] = useState<unknown>();
  const verify = async ({ name }: Backup) => {
    const judge = (verdict: Verdict) => setVerdicts((before) => ({ ...before, [name]: verdict }));
    judge({ kind: "checking" });
    try {
      const { valid, reason } = await api.data<{ valid: boolean; reason?: string }>("POST", pathOf(name, "/verify"));
      judge(valid ? { kind: "valid" } : { kind: "invalid", why: reason ?? "the server does not say why" });
      say(`${name} is ${valid ? "valid" : "not valid"}.`);
    } catch (problem) {
      judge({ kind: "invalid", why: explain(problem) });
    }
  };
  return (
    <>
      <Problem error={error} />
      <div class="scroll" role="region" aria-label="Table of backups" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Made</th>
              <th scope="col" class="number">
                Size
              </th>
              <th scope="col" class="number">
                Entries
              </th>
              <th scope="col" class="number">
                Revision
              </th>
              <th scope="col">By</th>
              <th scope="col">Actions</th>
            </tr>
          </thead>
          <tbody>
            {backups.map((backup) => (
              <tr key={backup.name}>
                <th scope="row">
                  <code title={`sha256 ${backup.sha256}`}>{backup.name}</code> <VerdictOf verdict={verdicts[backup.name]} />
                </th>
                <td>
                  <Time at={backup.created_at}>{dateTime(new Date(backup.created_at))}</Time>
                </td>
                <td class="number">{bytes(backup.size)}</td>
                <td class="number">{count(backup.entry_count)}</td>
                <td class="number">{count(backup.revision)}</td>
                <td>
                  {backup.node} <small>{backup.version}</small>
                </td>
                <td class="buttons">
                  <button type="button" onClick={() => void verify(backup)}>
                    Verify<span class="aside"> {backup.name}</span>
                  </button>
                  <Download path={pathOf(backup.name)} name={backup.name} aside={backup.name} onError={setError} />
                  <button type="button" class="danger" onClick={() => setRestored(backup)}>
                    Restore<span class="aside"> {backup.name}</span>
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {restored !== null && (
        <Confirm
          title="Replace all data by this backup?"
          action="Replace all data"
          isDangerous
          typed={restored.name}
          onClose={() => setRestored(null)}
          onConfirm={async () => {
            await api.call("POST", pathOf(restored.name, "/restore"), { body: JSON.stringify({ confirm: true }) });
            say(`All data are those of ${restored.name} now.`);
            status.refresh();
            refresh();
          }}
        >
          <p>
            On all nodes, all keys of now go, and the {count(restored.entry_count)} of {dateTime(new Date(restored.created_at))} come back. What
            was written since is lost, unless another backup has it.
          </p>
        </Confirm>
      )}
    </>
  );
}

export function Backups() {
  const { api, say } = useConsole();
  const read = useCallback((signal: AbortSignal) => api.data<Listed>("GET", "api/v1/backups", { signal }), [api]);
  const backups = usePoll(read, 10_000);
  const [isBusy, setBusy] = useState(false);
  const [isCleaning, setCleaning] = useState(false);
  const [error, setError] = useState<unknown>();
  const picker = useRef<HTMLInputElement>(null);

  const work = async (what: () => Promise<string>) => {
    setBusy(true);
    setError(undefined);
    try {
      say(await what());
      backups.refresh();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const create = () =>
    work(async () => {
      const { name } = await api.data<Backup>("POST", "api/v1/backups");
      return `${name} was made.`;
    });
  const upload = (file: File) =>
    work(async () => {
      await uploadInParts(api, file);
      return `${file.name} was uploaded.`;
    });

  const hasNone = backups.error instanceof ApiError && backups.error.status === 404;
  if (hasNone) {
    return (
      <>
        <h1>Backups</h1>
        <Empty>This server has no backups: its version does not know them.</Empty>
      </>
    );
  }
  return (
    <>
      <div class="heading">
        <h1>Backups</h1>
        <div class="actions">
          <button type="button" onClick={() => setCleaning(true)} disabled={isBusy}>
            Clean up…
          </button>
          <button type="button" onClick={() => picker.current?.click()} disabled={isBusy}>
            Upload…
          </button>
          <input
            ref={picker}
            type="file"
            hidden
            aria-label="File to upload"
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              event.currentTarget.value = "";
              if (file) void upload(file);
            }}
          />
          <button type="button" class="primary" onClick={() => void create()} disabled={isBusy}>
            {isBusy ? "Working…" : "Back up now"}
          </button>
        </div>
      </div>
      <Problem error={error ?? backups.error} />
      {backups.data?.backups.length === 0 && <Empty>There are no backups in this node's directory yet.</Empty>}
      {backups.data?.damaged?.length !== undefined && (
        <p class="warning">These files are no whole backups: {backups.data.damaged.join(", ")}</p>
      )}
      {backups.data && backups.data.backups.length > 0 && <BackupTable backups={backups.data.backups} refresh={backups.refresh} />}
      <p class="hint">Backups lie in the directory of the node that is asked (backup.dir). They need the permission admin.</p>
      {isCleaning && (
        <Cleanup
          onClose={() => setCleaning(false)}
          onDone={(text) => {
            say(text);
            backups.refresh();
          }}
        />
      )}
    </>
  );
}
