// Changing the cluster: one member at a time. What would cost the quorum is refused by the server, which says why.

import { useState } from "preact/hooks";

import type { Member, Status } from "../api/types.ts";
import { useConsole } from "../parts/console.tsx";
import { Confirm } from "../parts/dialog.tsx";
import { MemberTable } from "../parts/member_table.tsx";
import { Problem } from "../parts/problem.tsx";

type Asked = { readonly what: "promote" | "remove" | "lead"; readonly name: string } | { readonly what: "add" | "snapshot" };

/** Changes of members wait for the cluster: a learner that is promoted catches up first. */
const patienceMs = 30_000;

function memberPath(name: string, rest = ""): string {
  return `api/v1/cluster/members/${encodeURIComponent(name)}${rest}?timeout_ms=${patienceMs}`;
}

function Adding({ onClose }: { onClose: () => void }) {
  const { api, say, status } = useConsole();
  const [name, setName] = useState("");
  const [peer, setPeer] = useState("");
  const add = async () => {
    await api.call("POST", `api/v1/cluster/members?timeout_ms=${patienceMs}`, { body: JSON.stringify({ name, peer }) });
    say(`${name} was added as a learner. Start its node now.`);
    status.refresh();
  };
  return (
    <Confirm title="Add a member" action="Add" onConfirm={add} onClose={onClose}>
      <p>
        It gets the data as a learner and has no vote until it is promoted. When it is added, start its node with an empty data directory and{" "}
        <code>cluster.join</code> set to the peer address of any member.
      </p>
      <label class="field">
        <span>Name of the new node</span>
        <input required value={name} onInput={(event) => setName(event.currentTarget.value)} autocomplete="off" spellcheck={false} />
      </label>
      <label class="field">
        <span>Its peer address</span>
        <input
          required
          placeholder="10.0.0.4:9100"
          value={peer}
          onInput={(event) => setPeer(event.currentTarget.value)}
          autocomplete="off"
          spellcheck={false}
        />
      </label>
    </Confirm>
  );
}

function Question({ asked, onClose }: { asked: Asked; onClose: () => void }) {
  const { api, say, status } = useConsole();
  const done = (text: string) => {
    say(text);
    status.refresh();
  };
  switch (asked.what) {
    case "add":
      return <Adding onClose={onClose} />;
    case "promote":
      return (
        <Confirm
          title={`Promote ${asked.name}?`}
          action="Promote"
          onClose={onClose}
          onConfirm={async () => {
            await api.call("POST", memberPath(asked.name, "/promote"));
            done(`${asked.name} has a vote.`);
          }}
        >
          <p>The learner gets a vote once it has caught up; more members are then needed for a quorum.</p>
        </Confirm>
      );
    case "lead":
      return (
        <Confirm
          title={`Make ${asked.name} the leader?`}
          action="Hand over"
          onClose={onClose}
          onConfirm={async () => {
            await api.call("POST", `api/v1/cluster/leader?timeout_ms=${patienceMs}`, { body: JSON.stringify({ name: asked.name }) });
            done(`${asked.name} was asked to lead.`);
          }}
        >
          <p>Writes wait for the moment in which the leadership changes.</p>
        </Confirm>
      );
    case "remove":
      return (
        <Confirm
          title={`Remove ${asked.name}?`}
          action="Remove"
          isDangerous
          typed={asked.name}
          onClose={onClose}
          onConfirm={async () => {
            await api.call("DELETE", memberPath(asked.name));
            done(`${asked.name} was removed.`);
          }}
        >
          <p>The node ends when it hears of it, and its data directory is of no use any more. The name may come back with an empty one.</p>
        </Confirm>
      );
    case "snapshot":
      return (
        <Confirm
          title="Take a snapshot of this node?"
          action="Take it"
          onClose={onClose}
          onConfirm={async () => {
            await api.call("POST", "api/v1/cluster/snapshot");
            done("The snapshot is being taken.");
          }}
        >
          <p>The log behind it becomes shorter. Nodes do this by themselves; writes go on meanwhile.</p>
        </Confirm>
      );
  }
}

function actionsOf(member: Member, status: Status, ask: (asked: Asked) => void) {
  return (
    <>
      {member.role === "learner" && (
        <button type="button" onClick={() => ask({ what: "promote", name: member.name })}>
          Promote
        </button>
      )}
      {member.role === "voter" && member.name !== status.cluster.leader && (
        <button type="button" onClick={() => ask({ what: "lead", name: member.name })}>
          Make leader
        </button>
      )}
      {status.cluster.members.length > 1 && (
        <button type="button" class="danger" onClick={() => ask({ what: "remove", name: member.name })}>
          Remove<span class="aside"> {member.name}</span>
        </button>
      )}
    </>
  );
}

export function Members() {
  const { status } = useConsole();
  const [asked, setAsked] = useState<Asked | null>(null);
  const shown = status.data;
  return (
    <>
      <div class="heading">
        <h1>Members</h1>
        <div class="actions">
          <button type="button" onClick={() => setAsked({ what: "snapshot" })}>
            Take a snapshot…
          </button>
          <button type="button" class="primary" onClick={() => setAsked({ what: "add" })}>
            Add a member…
          </button>
        </div>
      </div>
      <Problem error={status.error} />
      {shown && <MemberTable status={shown} actions={(member) => actionsOf(member, shown, setAsked)} />}
      <p class="hint">
        Changes need the permission admin. They are made one at a time, and refused where the rest would have no quorum. Removing the leader
        hands the leadership over first.
      </p>
      {asked && <Question asked={asked} onClose={() => setAsked(null)} />}
    </>
  );
}
