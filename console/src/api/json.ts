// JSON as text that loses nothing: the store keeps 64-bit integers and numbers as they were written, JSON.parse does not.
//
// A document is read into nodes that know where in the text they stand. What is shown and sent again is cut from that text, never
// made from a number of JavaScript.

export interface JsonNode {
  readonly kind: "null" | "boolean" | "number" | "string" | "array" | "object";
  readonly start: number;
  readonly end: number;
  /** Of an array, and of an object the values, in order. */
  readonly items: readonly JsonNode[];
  /** Of an object the decoded names of `items`. */
  readonly names: readonly string[];
}

/** What is wrong with a text, and where: line and column count from 1. */
export class JsonError extends Error {
  readonly line: number;
  readonly column: number;

  constructor(text: string, at: number, problem: string) {
    const before = text.slice(0, at);
    const line = before.split("\n").length;
    const column = at - before.lastIndexOf("\n");
    super(`${problem} (line ${line}, column ${column})`);
    this.line = line;
    this.column = column;
  }
}

/** What the server takes, values that stand in a request included. */
const deepest = 256;
const numberForm = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const plainForm = /[^"\\\u0000-\u001f]+/y;
const escapesForm = /(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})){1,1000}/y;
const spaceForm = /[ \t\r\n]*/y;
const literals = [
  ["null", "null"],
  ["true", "boolean"],
  ["false", "boolean"],
] as const;

class Reader {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  document(): JsonNode {
    this.skipSpace();
    if (this.at === this.text.length) throw this.problem("there is no value");
    const node = this.value(0);
    this.skipSpace();
    if (this.at < this.text.length) throw this.problem("something stands behind the value");
    return node;
  }

  private problem(what: string, at = this.at): JsonError {
    return new JsonError(this.text, at, what);
  }

  private match(form: RegExp): string | null {
    form.lastIndex = this.at;
    const found = form.exec(this.text)?.[0] ?? null;
    if (found !== null) this.at += found.length;
    return found;
  }

  private skipSpace(): void {
    this.match(spaceForm);
  }

  private value(depth: number): JsonNode {
    if (depth > deepest) throw this.problem(`nested deeper than ${deepest}`);
    const start = this.at;
    const first = this.text[start];
    if (first === "{") return this.object(depth);
    if (first === "[") return this.array(depth);
    if (first === '"') {
      this.skipString();
      return { kind: "string", start, end: this.at, items: [], names: [] };
    }
    for (const [word, kind] of literals) {
      if (!this.text.startsWith(word, start)) continue;
      this.at += word.length;
      return { kind, start, end: this.at, items: [], names: [] };
    }
    if (this.match(numberForm) === null) {
      throw this.problem(first === undefined ? "the text ends where a value should stand" : `no value begins with ${first}`);
    }
    return { kind: "number", start, end: this.at, items: [], names: [] };
  }

  /** Piece by piece: one expression for all of it overflows the stack of the browser's engine at some megabytes. */
  private skipString(): void {
    const start = this.at++;
    while (this.match(plainForm) !== null || this.match(escapesForm) !== null) {}
    if (this.text[this.at] !== '"') throw this.problem("the string does not end, or has a character that must be escaped", start);
    ++this.at;
  }

  private expectOneOf(next: string, end: string, what: string): boolean {
    this.skipSpace();
    const found = this.text[this.at];
    if (found !== next && found !== end) throw this.problem(`"${next}" or "${end}" should stand behind ${what}`);
    ++this.at;
    return found === next;
  }

  private array(depth: number): JsonNode {
    const start = this.at++;
    const items: JsonNode[] = [];
    this.skipSpace();
    if (this.text[this.at] === "]") {
      ++this.at;
      return { kind: "array", start, end: this.at, items, names: [] };
    }
    do {
      this.skipSpace();
      items.push(this.value(depth + 1));
    } while (this.expectOneOf(",", "]", "an element"));
    return { kind: "array", start, end: this.at, items, names: [] };
  }

  private object(depth: number): JsonNode {
    const start = this.at++;
    const items: JsonNode[] = [];
    const names = new Set<string>();
    this.skipSpace();
    if (this.text[this.at] === "}") {
      ++this.at;
      return { kind: "object", start, end: this.at, items, names: [] };
    }
    do {
      this.skipSpace();
      const at = this.at;
      if (this.text[at] !== '"') throw this.problem("the name of a member should stand here, in double quotes");
      this.skipString();
      const name = JSON.parse(this.text.slice(at, this.at)) as string;
      if (names.has(name)) throw this.problem(`the member ${JSON.stringify(name)} stands twice`, at);
      names.add(name);
      this.skipSpace();
      if (this.text[this.at] !== ":") throw this.problem('":" should stand behind the name');
      ++this.at;
      this.skipSpace();
      items.push(this.value(depth + 1));
    } while (this.expectOneOf(",", "}", "a member"));
    return { kind: "object", start, end: this.at, items, names: [...names] };
  }
}

/** Throws JsonError. */
export function readJson(text: string): JsonNode {
  return new Reader(text).document();
}

export function member(node: JsonNode, name: string): JsonNode | undefined {
  return node.items[node.names.indexOf(name)];
}

export function sourceOf(text: string, node: JsonNode): string {
  return text.slice(node.start, node.end);
}

/** The same document on lines of its own, indented by two; short arrays and objects stay on one line. */
export function prettyJson(text: string, node = readJson(text), indent = ""): string {
  if (node.items.length === 0) {
    if (node.kind === "array") return "[]";
    return node.kind === "object" ? "{}" : sourceOf(text, node);
  }
  const isArray = node.kind === "array";
  const inner = `${indent}  `;
  const parts = node.items.map((item, i) => {
    const value = prettyJson(text, item, inner);
    return isArray ? value : `${JSON.stringify(node.names[i])}: ${value}`;
  });
  const [open, close] = isArray ? ["[", "]"] : ["{ ", " }"];
  const line = `${open}${parts.join(", ")}${close}`;
  const isFlat = node.items.every((item) => item.items.length === 0);
  if (isFlat && isArray && line.length + indent.length <= 80) return line;
  return `${open.trim()}\n${parts.map((part) => inner + part).join(",\n")}\n${indent}${close.trim()}`;
}
