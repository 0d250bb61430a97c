import type { ComponentChildren } from "preact";

import type { Member, Status } from "../api/types.ts";
import { Badge } from "./facts.tsx";
import { count } from "./format.ts";

/** Entries of the log that a member does not have yet; null: this node does not know. */
export function lagOf(member: Member, status: Status): number | null {
  const { leader, commit_index: committed } = status.cluster;
  const isKnown = member.name === status.node || status.node === leader;
  return isKnown ? Math.max(0, committed - member.match_index) : null;
}

function byName(members: readonly Member[]): Member[] {
  return [...members].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

interface MemberTableProperties {
  status: Status;
  actions?: (member: Member) => ComponentChildren;
}

export function MemberTable({ status, actions }: MemberTableProperties) {
  return (
    <div class="scroll" role="region" aria-label="Table of members" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col">Health</th>
            <th scope="col" class="number">
              Lag
            </th>
            <th scope="col">Peer address</th>
            <th scope="col">API</th>
            <th scope="col">Id</th>
            {actions && <th scope="col">Actions</th>}
          </tr>
        </thead>
        <tbody>
          {byName(status.cluster.members).map((member) => {
            const lag = lagOf(member, status);
            return (
              <tr key={member.id}>
                <th scope="row">
                  {member.name}
                  {member.name === status.node && <small> this node</small>}
                </th>
                <td>{member.name === status.cluster.leader ? <Badge tone="busy">leader</Badge> : member.role}</td>
                <td>{member.healthy ? <Badge tone="good">healthy</Badge> : <Badge tone="bad">not heard of</Badge>}</td>
                <td class="number">{lag === null ? <abbr title="only the leader knows">–</abbr> : count(lag)}</td>
                <td>
                  <code>{member.peer || "–"}</code>
                </td>
                <td>
                  <code>{member.api || "–"}</code>
                </td>
                <td>
                  <code>{member.id}</code>
                </td>
                {actions && <td class="buttons">{actions(member)}</td>}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
