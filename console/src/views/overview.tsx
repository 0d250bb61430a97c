// The state of the cluster as this node sees it.

import { useCallback } from "preact/hooks";

import { Badge, Facts } from "../parts/facts.tsx";
import { bytes, count, duration, plural } from "../parts/format.ts";
import { MemberTable } from "../parts/member_table.tsx";
import { Problem } from "../parts/problem.tsx";
import { useConsole } from "../parts/console.tsx";
import { usePoll } from "../parts/use_poll.ts";
import type { Status } from "../api/types.ts";

interface Check {
  readonly isOk: boolean;
  readonly name: string;
  readonly says: string;
}

/** Of `GET /readyz?verbose`: a line each, "[+]name ok" or "[-]name why". */
function readChecks(text: string): Check[] {
  return [...text.matchAll(/^\[([+-])\](\S+) (.*)$/gm)].map(([, sign, name = "", says = ""]) => ({ isOk: sign === "+", name, says }));
}

function Checks() {
  const { api } = useConsole();
  const read = useCallback(
    async (signal: AbortSignal) => readChecks((await api.call("GET", "readyz?verbose", { signal, expect: [503] })).text),
    [api],
  );
  const { data: checks, error } = usePoll(read, 3000);
  return (
    <section aria-labelledby="checks">
      <h2 id="checks">Ready to serve</h2>
      <Problem error={error} />
      <ul class="checks">
        {checks?.map(({ isOk, name, says }) => (
          <li key={name}>
            <Badge tone={isOk ? "good" : "bad"}>{isOk ? "ok" : "no"}</Badge> {name.replaceAll(/[-_]/g, " ")}
            {!isOk && <span class="why">: {says}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Cluster({ status }: { status: Status }) {
  const { cluster, storage } = status;
  const healthy = cluster.members.filter((member) => member.healthy).length;
  const voters = cluster.members.filter((member) => member.role === "voter").length;
  const quorum = Math.floor(voters / 2) + 1;
  return (
    <section aria-labelledby="cluster">
      <h2 id="cluster">Cluster</h2>
      <Facts
        facts={[
          ["Leader", cluster.leader ?? <Badge tone="bad">none</Badge>],
          ["Members healthy", `${healthy} of ${cluster.members.length}`],
          ["Quorum", `${quorum} of ${plural(voters, "voter")}`],
          ["Revision", count(storage.revision)],
          ["Term", count(cluster.term)],
          ["Commit index", count(cluster.commit_index)],
          ["Applied index", count(cluster.applied_index)],
          ["Cluster", cluster.name],
          ["Cluster id", <code>{cluster.id}</code>],
        ]}
      />
    </section>
  );
}

function Storage({ status }: { status: Status }) {
  const { storage } = status;
  return (
    <section aria-labelledby="storage">
      <h2 id="storage">This node</h2>
      <Facts
        facts={[
          ["State", status.cluster.state],
          ["Version", status.version],
          ["Up for", duration(status.uptime_seconds)],
          ["Keys", count(storage.size)],
          ["Memory of the data", bytes(storage.memory)],
          ["Log on disk", bytes(storage.log_bytes)],
          ["Snapshot at index", storage.snapshot_index === 0 ? "none yet" : count(storage.snapshot_index)],
          ["Disk free", bytes(storage.data_dir_free_bytes)],
          ["Takes writes", storage.writable ? "yes" : <Badge tone="bad">no: {storage.reason ?? "its disk does not"}</Badge>],
        ]}
      />
    </section>
  );
}

export function Overview() {
  const { status } = useConsole();
  return (
    <>
      <h1>Overview</h1>
      <Problem error={status.error} />
      {status.data && (
        <>
          <div class="columns">
            <Cluster status={status.data} />
            <Storage status={status.data} />
          </div>
          <section aria-labelledby="members">
            <h2 id="members">Members</h2>
            <MemberTable status={status.data} />
          </section>
        </>
      )}
      <Checks />
    </>
  );
}
