// What the audit log is asked, and what it answers.

import { member, readJson, sourceOf } from "./json.ts";

export interface AuditEntry {
  readonly timestamp: string;
  readonly event_id: string;
  readonly operation: string;
  readonly key?: string;
  readonly key_b64?: string;
  readonly key_hash?: string;
  readonly result: string;
  readonly error?: string;
  readonly user: string;
  readonly client?: string;
  readonly revision?: number;
}

export interface ShownAuditEntry {
  readonly entry: AuditEntry;
  /** As the log has it: numbers beyond 2^53 keep their digits. */
  readonly text: string;
}

export interface AuditStats {
  readonly current_log_size: number;
  readonly total_size: number;
  readonly log_dir: string;
  readonly files: number;
  readonly entries: number;
  readonly queued: number;
  readonly dropped: number;
  readonly problem?: string;
}

export interface AuditVerification {
  readonly valid: boolean;
  readonly files: number;
  readonly entries: number;
  readonly problems: readonly { readonly file: string; readonly line: number; readonly problem: string }[];
}

export interface AuditFilter {
  readonly operation: string;
  readonly user: string;
  readonly result: string;
  /** As a field for date and time has it, of the browser's own time zone; both are included. */
  readonly from: string;
  readonly to: string;
}

export const everything: AuditFilter = { operation: "", user: "", result: "", from: "", to: "" };

/** Parameters of a query or an export. */
export function auditParameters(filter: AuditFilter): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const name of ["operation", "user", "result"] as const) {
    const text = filter[name].trim();
    if (text !== "") parameters.set(name, text);
  }
  if (filter.from !== "") parameters.set("from", new Date(filter.from).toISOString());
  // A minute that is named without its seconds is meant as a whole.
  if (filter.to !== "") parameters.set("to", new Date(/:\d\d:\d\d/.test(filter.to) ? filter.to : `${filter.to}:59.999`).toISOString());
  return parameters;
}

/** Those of an answer to a query. */
export function readAuditEntries(answer: string): ShownAuditEntry[] {
  const data = member(readJson(answer), "data");
  const entries = data && member(data, "entries");
  return (entries?.items ?? []).map((node) => {
    const text = sourceOf(answer, node);
    return { entry: JSON.parse(text) as AuditEntry, text };
  });
}
