// A key as the API names it. Keys are bytes: those that are UTF-8 are text, others come as base64 ("key_b64").

export type Key = { readonly text: string } | { readonly base64: string };

/** How lists, queries and events write a key. */
export type ShownKey = string | { readonly key_b64: string };
export type KeyMember = { readonly key: string } | { readonly key_b64: string };

export const longestKeyBytes = 1024;

export function keyOf(shown: ShownKey): Key {
  return typeof shown === "string" ? { text: shown } : { base64: shown.key_b64 };
}

export function keyOfMember(shown: KeyMember): Key {
  return "key" in shown ? { text: shown.key } : { base64: shown.key_b64 };
}

/** Tells keys apart. */
export function idOf(key: Key): string {
  return "text" in key ? `t${key.text}` : `b${key.base64}`;
}

export function isSameKey(a: Key, b: Key): boolean {
  return idOf(a) === idOf(b);
}

/** What a person reads: on one line, control characters as their pictures (U+2400 and following). */
export function nameOf(key: Key): string {
  if (!("text" in key)) return `base64:${key.base64}`;
  return key.text.replaceAll(/[\0-\x1f\x7f]/g, (c) => String.fromCharCode(c === "\x7f" ? 0x2421 : 0x2400 + c.charCodeAt(0)));
}

function toBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return fromStandard(btoa(binary));
}

function fromStandard(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Path and query of the API, below its root. "." and ".." go as base64url: in a path, even percent-encoded, every browser takes
 * them for steps to the folder above.
 */
export function pathOf(key: Key, query: Readonly<Record<string, string>> = {}): string {
  const isSteps = "text" in key && /^\.\.?$/.test(key.text);
  const parameters = new URLSearchParams(query);
  if ("text" in key && !isSteps) {
    const rest = parameters.size > 0 ? `?${parameters}` : "";
    return `api/v1/kv/${encodeURIComponent(key.text)}${rest}`;
  }
  parameters.set("key_encoding", "base64url");
  const segment = "text" in key ? toBase64Url(new TextEncoder().encode(key.text)) : fromStandard(key.base64);
  return `api/v1/kv/${segment}?${parameters}`;
}

/** Why a text is no key, or null. */
export function problemOfKey(text: string): string | null {
  const size = new TextEncoder().encode(text).length;
  if (size === 0) return "A key has at least one character.";
  if (size > longestKeyBytes) return `A key has at most ${longestKeyBytes} bytes; these are ${size}.`;
  return /\p{Surrogate}/u.test(text) ? "This is no valid text: it holds half a character." : null;
}
