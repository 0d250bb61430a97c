// What the API answers, as far as the console shows it. docs: GET /api/v1/openapi.json.

import type { KeyMember, ShownKey } from "./key.ts";

export interface Member {
  readonly name: string;
  readonly id: string;
  readonly peer: string;
  readonly api: string;
  readonly role: "voter" | "learner";
  readonly healthy: boolean;
  readonly match_index: number;
  readonly silent_ms?: number;
  readonly snapshot_sent_bytes?: number;
  readonly snapshot_bytes?: number;
}

export interface Status {
  readonly node: string;
  readonly version: string;
  readonly uptime_seconds: number;
  readonly cluster: {
    readonly id: string;
    readonly name: string;
    readonly leader: string | null;
    readonly state: string;
    readonly term: number;
    readonly commit_index: number;
    readonly applied_index: number;
    readonly members: readonly Member[];
  };
  readonly storage: {
    readonly size: number;
    readonly memory: number;
    readonly revision: number;
    readonly snapshot_index: number;
    readonly log_bytes: number;
    readonly data_dir_free_bytes: number;
    readonly writable: boolean;
    readonly reason?: string;
  };
}

export type Permission = "read" | "write" | "admin";

export interface TokenInfo {
  readonly id: string;
  readonly permissions: readonly Permission[];
  readonly prefixes: readonly ShownKey[];
  readonly description: string;
  readonly created_at: string | null;
  readonly expires_in: number | null;
  readonly last_used_at: string | null;
}

export interface Backup {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly entry_count: number;
  readonly revision: number;
  readonly created_at: string;
  readonly sha256: string;
  readonly node: string;
  readonly version: string;
}

export type Change = KeyMember & {
  readonly op: string;
  readonly value?: unknown;
  readonly encoding?: "base64";
  readonly ttl?: number;
};

export interface StoreEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly node: string;
  readonly revision?: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly key?: string;
  readonly key_b64?: string;
  readonly keys?: readonly ShownKey[];
  readonly changes?: readonly Change[];
}
