// A stream of events that goes on by itself: behind the last event that came, after the connection or the node was gone.

import { type Api, ApiError } from "./api/api.ts";
import type { StoreEvent } from "./api/types.ts";

export interface EventFilter {
  /** RE2, searched in the key; empty: all keys. */
  readonly pattern: string;
  /** Empty: all but reads. */
  readonly types: readonly string[];
  /** Events behind this revision; null: from now on. */
  readonly after: string | null;
}

export type FeedState =
  | { readonly kind: "connecting" | "live" }
  /** It tries again by itself. */
  | { readonly kind: "waiting"; readonly why: unknown }
  /** It does not. */
  | { readonly kind: "ended"; readonly why: unknown };

const firstWaitMs = 500;
const longestWaitMs = 10_000;

/** Statuses that another try does not mend. */
const finalStatuses = [400, 401, 403, 404, 410];

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Runs until `signal` or a refusal. */
export async function follow(
  api: Api,
  filter: EventFilter,
  signal: AbortSignal,
  onState: (state: FeedState) => void,
  /** `text` is the event as it came, with all digits of its numbers. */
  onEvent: (event: StoreEvent, text: string) => void,
): Promise<void> {
  let after = filter.after;
  let waitMs = firstWaitMs;
  while (!signal.aborted) {
    let ended: ApiError | null = null;
    onState({ kind: "connecting" });
    try {
      const query = new URLSearchParams();
      if (filter.pattern !== "") query.set("key_pattern", filter.pattern);
      if (filter.types.length > 0) query.set("event_types", filter.types.join(","));
      if (after !== null) query.set("after_revision", after);
      const onOpen = () => {
        waitMs = firstWaitMs;
        onState({ kind: "live" });
      };
      await api.events(query, signal, onOpen, ({ type, data, id }) => {
        if (id !== "") after = id;
        if (type === "end") {
          const { code, message, ...details } = JSON.parse(data) as { code: string; message: string };
          ended = new ApiError(code === "COMPACTED" ? 410 : code === "CLUSTER_UNAVAILABLE" ? 503 : 403, code, message, details);
        } else {
          onEvent(JSON.parse(data) as StoreEvent, data);
        }
      });
      if (ended !== null) throw ended;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && finalStatuses.includes(error.status)) return onState({ kind: "ended", why: error });
      onState({ kind: "waiting", why: error });
    }
    await sleep(waitMs, signal);
    waitMs = Math.min(waitMs * 2, longestWaitMs);
  }
}
