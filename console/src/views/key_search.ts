// What the list of keys shows: a page of those that match.

import type { Api } from "../api/api.ts";
import { readJson } from "../api/json.ts";
import { type Key, keyOf, type ShownKey } from "../api/key.ts";

export const searchModes = {
  prefix: "Starts with",
  contains: "Contains",
  suffix: "Ends with",
  pattern: "Matches (RE2)",
  filter: "Value matches filter",
} as const;
export type SearchMode = keyof typeof searchModes;

export interface Search {
  readonly mode: SearchMode;
  readonly text: string;
}

export interface KeyPage {
  readonly keys: readonly Key[];
  readonly nextCursor: string | null;
}

const pageSize = 100;

export function searchOf(parameters: URLSearchParams): Search {
  const mode = parameters.get("by") ?? "prefix";
  return { mode: mode in searchModes ? (mode as SearchMode) : "prefix", text: parameters.get("search") ?? "" };
}

/** Throws JsonError when the filter is no JSON. */
function selectorsOf({ mode, text }: Search): string {
  if (text === "") return "";
  if (mode !== "filter") return `${JSON.stringify(mode)}:${JSON.stringify(text)},`;
  readJson(text);
  return `"filter":${text},`;
}

export async function findKeys(api: Api, search: Search, cursor: string | null, signal: AbortSignal): Promise<KeyPage> {
  const from = cursor === null ? "" : `,"cursor":${JSON.stringify(cursor)}`;
  const body = `{${selectorsOf(search)}"select":"keys","limit":${pageSize}${from}}`;
  const found = await api.data<{ keys: ShownKey[]; next_cursor: string | null }>("POST", "api/v1/query", { body, signal });
  return { keys: found.keys.map(keyOf), nextCursor: found.next_cursor };
}

export async function countKeys(api: Api, search: Search, signal: AbortSignal): Promise<number> {
  const body = `{${selectorsOf(search)}"select":"count"}`;
  const found = await api.data<{ count: number }>("POST", "api/v1/query", { body, signal });
  return found.count;
}
