// What was typed and not saved yet, by key: looking elsewhere meanwhile takes nothing away. In memory, for one session.

import type { Draft, Entry, Expiry } from "./api/entries.ts";

export interface Unsaved {
  /** What the draft began with, and when that was read. */
  readonly base: Entry;
  readonly readAt: number;
  readonly draft: Draft;
  readonly expiry: Expiry;
}

export class Drafts {
  private readonly byKey = new Map<string, Unsaved>();

  /** `id` as of idOf. */
  get(id: string): Unsaved | undefined {
    return this.byKey.get(id);
  }

  keep(id: string, unsaved: Unsaved): void {
    this.byKey.set(id, unsaved);
  }

  drop(id: string): void {
    this.byKey.delete(id);
  }

  isEmpty(): boolean {
    return this.byKey.size === 0;
  }
}
