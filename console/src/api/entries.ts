// Single entries: read and written without losing a digit of their values.

import type { Api } from "./api.ts";
import { member, prettyJson, readJson, sourceOf } from "./json.ts";
import { type Key, pathOf } from "./key.ts";

/** A value as text to edit: JSON, or bytes as base64. */
export interface Draft {
  readonly format: "json" | "bytes";
  readonly text: string;
}

export interface Entry {
  readonly value: Draft;
  readonly sizeBytes: number;
  readonly revision: string;
  readonly createRevision: string;
  readonly version: string;
  /** Seconds; null: never. */
  readonly ttl: number | null;
}

/** What becomes of the expiry when an entry is written. */
export type Expiry = { readonly kind: "none" } | { readonly kind: "keep" } | { readonly kind: "in"; readonly seconds: number };

/** Longer values are shown as they are: laying them out takes too long. */
const longestLaidOut = 1_000_000;
export const longestTtlSeconds = 3_153_600_000;

function decodedSize(base64: string): number {
  return (base64.length / 4) * 3 - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0);
}

export function readEntry(text: string): Entry {
  const data = member(readJson(text), "data");
  const value = data && member(data, "value");
  if (!data || !value) throw new Error("the server's answer holds no value");
  const source = sourceOf(text, value);
  const number = (name: string) => {
    const node = member(data, name);
    return node ? sourceOf(text, node) : "";
  };
  const ttl = number("ttl");
  const rest = {
    revision: number("revision"),
    createRevision: number("create_revision"),
    version: number("version"),
    ttl: ttl === "" || ttl === "null" ? null : Number(ttl),
  };
  if (member(data, "encoding")) {
    const base64 = JSON.parse(source) as string;
    return { value: { format: "bytes", text: base64 }, sizeBytes: decodedSize(base64), ...rest };
  }
  const shown = source.length > longestLaidOut ? source : prettyJson(text, value);
  return { value: { format: "json", text: shown }, sizeBytes: new TextEncoder().encode(source).length, ...rest };
}

/** A draft is judged once, however often it is drawn: it may be long. */
const judged = new WeakMap<Draft, string | null>();

/** Why a draft is no value, or null. */
export function problemOfDraft(draft: Draft): string | null {
  let problem = judged.get(draft);
  if (problem === undefined) judged.set(draft, (problem = judge(draft)));
  return problem;
}

function judge(draft: Draft): string | null {
  if (draft.format === "json") {
    try {
      readJson(draft.text);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  const text = draft.text.replaceAll(/\s/g, "");
  const isBase64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
  return isBase64 ? null : "this is no base64: letters, digits, + and /, padded with = to a multiple of four";
}

/** Bytes that are text, as text; else null. */
export function textOfBytes(base64: string): string | null {
  try {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return /[\0-\x08\x0e-\x1f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

export async function fetchEntry(api: Api, key: Key, signal?: AbortSignal): Promise<Entry> {
  const answer = await api.call("GET", pathOf(key, { meta: "true", with_ttl: "true" }), signal ? { signal } : {});
  return readEntry(answer.text);
}

/** Null: it is still the one of that revision. */
export async function fetchIfChanged(api: Api, key: Key, revision: string, signal: AbortSignal): Promise<Entry | null> {
  const answer = await api.call("GET", pathOf(key, { meta: "true", with_ttl: "true" }), {
    signal,
    headers: { "If-None-Match": `"${revision}"` },
    expect: [304],
  });
  return answer.status === 304 ? null : readEntry(answer.text);
}

function bodyOf(draft: Draft, expiry: Expiry): string {
  const value = draft.format === "json" ? draft.text : JSON.stringify(draft.text.replaceAll(/\s/g, ""));
  const encoding = draft.format === "bytes" ? ',"encoding":"base64"' : "";
  const ttl = expiry.kind === "in" ? `,"ttl":${expiry.seconds}` : expiry.kind === "keep" ? ',"keep_ttl":true' : "";
  return `{"value":${value}${encoding}${ttl}}`;
}

/** `revision`: of the entry that is replaced; null: there must be none. Another one there is 412. */
export async function writeEntry(api: Api, key: Key, draft: Draft, expiry: Expiry, revision: string | null): Promise<void> {
  const headers: Record<string, string> = revision === null ? { "If-None-Match": "*" } : { "If-Match": `"${revision}"` };
  await api.call("PUT", pathOf(key), { body: bodyOf(draft, expiry), headers });
}

export async function deleteEntry(api: Api, key: Key, revision: string): Promise<void> {
  await api.call("DELETE", pathOf(key), { headers: { "If-Match": `"${revision}"` } });
}
