// The token of whoever uses the console. It is kept in memory; for a tab that asks for it also in the tab's session storage, which
// no other site can read and which ends with the tab. It goes to the server in a header, and never into an address.

import type { Token } from "./api/api.ts";

const storedUnder = "concord.token";

export type Refusal = "none" | "needed" | "not-valid";

export class Session implements Token {
  private token = sessionStorage.getItem(storedUnder);
  private refusal: Refusal = "none";
  private readonly listeners = new Set<() => void>();

  current(): string | null {
    return this.token;
  }

  refused(): Refusal {
    return this.refusal;
  }

  onRefused(used: string | null): void {
    if (used !== this.token) return; // of a call from before the present token
    this.forget();
    this.refusal = used === null ? "needed" : "not-valid";
    this.tell();
  }

  /** Precondition: the server took it. */
  enter(token: string, keepForTab: boolean): void {
    this.token = token;
    this.refusal = "none";
    if (keepForTab) sessionStorage.setItem(storedUnder, token);
    this.tell();
  }

  leave(): void {
    this.forget();
    this.refusal = "needed";
    this.tell();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private forget(): void {
    this.token = null;
    sessionStorage.removeItem(storedUnder);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
