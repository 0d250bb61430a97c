// Server-sent events (WHATWG HTML 9.2) read from a fetch. EventSource is no choice: it can't send a token in a header.

export interface ServerSentEvent {
  readonly type: string;
  readonly data: string;
  /** Of this event, or the last one before that had an id; empty: none yet. */
  readonly id: string;
}

/** Takes text in pieces of any size; an event that the stream ends in the middle of is no event. */
export class EventParser {
  private rest = "";
  private type = "";
  private data: string[] = [];
  private id = "";
  private readonly deliver: (event: ServerSentEvent) => void;

  constructor(deliver: (event: ServerSentEvent) => void) {
    this.deliver = deliver;
  }

  take(piece: string): void {
    this.rest += piece;
    // A carriage return at the very end may have its line feed in the next piece.
    const whole = /\r$/.test(this.rest) ? this.rest.slice(0, -1) : this.rest;
    const lines = whole.split(/\r\n|\r|\n/);
    this.rest = (lines.pop() ?? "") + this.rest.slice(whole.length);
    for (const line of lines) this.line(line);
  }

  private line(line: string): void {
    if (line === "") return this.end();
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.type = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id" && !value.includes("\0")) this.id = value;
  }

  private end(): void {
    if (this.data.length > 0) this.deliver({ type: this.type || "message", data: this.data.join("\n"), id: this.id });
    this.type = "";
    this.data = [];
  }
}

/** Resolves when the stream ends; rejects when it breaks, or is aborted by the signal of its fetch. */
export async function readEvents(body: ReadableStream<Uint8Array>, deliver: (event: ServerSentEvent) => void): Promise<void> {
  const parser = new EventParser(deliver);
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parser.take(decoder.decode(value, { stream: true }));
  }
}
