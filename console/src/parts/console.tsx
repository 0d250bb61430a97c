// What every view may use: the API, the session, the status that is read all the time, and a way to say what happened.

import { createContext } from "preact";
import { useContext } from "preact/hooks";

import type { Api } from "../api/api.ts";
import type { Status } from "../api/types.ts";
import type { Drafts } from "../drafts.ts";
import type { Session } from "../session.ts";
import type { Sampler } from "../metrics_sampler.ts";
import type { Poll } from "./use_poll.ts";

export interface Console {
  readonly api: Api;
  readonly session: Session;
  readonly status: Poll<Status>;
  readonly sampler: Sampler;
  readonly drafts: Drafts;
  /** Shown for some seconds, and read out by screen readers. */
  say(text: string): void;
}

export const ConsoleContext = createContext<Console | null>(null);

export function useConsole(): Console {
  const found = useContext(ConsoleContext);
  if (found === null) throw new Error("there is no console around this view");
  return found;
}
