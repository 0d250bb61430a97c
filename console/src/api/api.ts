// Calls to the server the console came from. Everything of the API goes through here: the token, errors, where the API is.

import { readEvents, type ServerSentEvent } from "./server_sent_events.ts";

/** A refusal of the server, or `code` UNREACHABLE when there was no answer. */
export class ApiError extends Error {
  /** 0: no answer. */
  readonly status: number;
  readonly code: string;
  /** What else the error says, such as `oldest_revision`. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }

  /** The outcome of a write is unknown: it may have happened. */
  get isUnknown(): boolean {
    return this.status === 504 || this.status === 0;
  }
}

export type Method = "GET" | "PUT" | "POST" | "DELETE";

export interface CallOptions {
  /** JSON text, or bytes. */
  readonly body?: string | Blob;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Statuses that are answers here and no errors. */
  readonly expect?: readonly number[];
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export interface Api {
  call(method: Method, path: string, options?: CallOptions): Promise<Answer>;
  /** The `data` of an answer. Numbers beyond 2^53 lose digits: values are read with json.ts instead. */
  data<Data>(method: Method, path: string, options?: CallOptions): Promise<Data>;
  /** Resolves when the server ended the stream. */
  events(query: URLSearchParams, signal: AbortSignal, onOpen: () => void, deliver: (event: ServerSentEvent) => void): Promise<void>;
  download(path: string, signal?: AbortSignal): Promise<Blob>;
  /** Where a path of the API is for a link, which carries no token; null when one is needed. */
  link(path: string): string | null;
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    const { code, message, ...details } = error;
    return new ApiError(response.status, code, message, details);
  } catch {
    return new ApiError(response.status, "UNREADABLE", `the server answered ${response.status} without saying why`);
  }
}

export interface Token {
  current(): string | null;
  /** The server takes it no longer, or wants one. */
  onRefused(used: string | null): void;
}

/** `root` is where the API's paths begin: the folder above the console, also behind a proxy that puts both below a path. */
export function makeApi(root: URL, token: Token): Api {
  async function send(method: Method, path: string, options: CallOptions): Promise<Response> {
    const used = token.current();
    const headers = new Headers(options.headers);
    if (used !== null) headers.set("Authorization", `Bearer ${used}`);
    const { body } = options;
    if (typeof body === "string") headers.set("Content-Type", "application/json");
    else if (body) headers.set("Content-Type", "application/octet-stream");
    let response: Response;
    try {
      response = await fetch(new URL(path, root), {
        method,
        headers,
        body: body ?? null,
        signal: options.signal ?? null,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
      });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new ApiError(0, "UNREACHABLE", "the server does not answer");
    }
    if (response.ok || options.expect?.includes(response.status)) return response;
    if (response.status === 401) token.onRefused(used);
    throw await errorOf(response);
  }

  async function call(method: Method, path: string, options: CallOptions = {}): Promise<Answer> {
    const response = await send(method, path, options);
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  return {
    call,
    async data<Data>(method: Method, path: string, options: CallOptions = {}): Promise<Data> {
      const { text } = await call(method, path, options);
      return (JSON.parse(text) as { data: Data }).data;
    },
    async events(query, signal, onOpen, deliver) {
      const response = await send("GET", `api/v1/events?${query}`, { signal, headers: { Accept: "text/event-stream" } });
      onOpen();
      if (response.body) await readEvents(response.body, deliver);
    },
    async download(path, signal) {
      const response = await send("GET", path, signal ? { signal } : {});
      return response.blob();
    },
    link: (path) => (token.current() === null ? new URL(path, root).href : null),
  };
}
