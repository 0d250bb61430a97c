// Where in the console one is: the fragment of the address, `#/keys?search=users%2F`. It is never sent to a server. Going back and
// forth, reloading and sharing a link work by it; a token never stands in it.

import { useEffect, useState } from "preact/hooks";

export const views = ["overview", "keys", "events", "metrics", "members", "tokens", "backups", "audit"] as const;
export type View = (typeof views)[number];

export interface Place {
  readonly view: View;
  readonly parameters: URLSearchParams;
}

export function readPlace(fragment: string): Place {
  const [path = "", query = ""] = fragment.replace(/^#\/?/, "").split("?", 2);
  const view = views.find((each) => each === path) ?? "overview";
  return { view, parameters: new URLSearchParams(query) };
}

export function linkTo(view: View, parameters: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(parameters).toString();
  return `#/${view}${query === "" ? "" : `?${query}`}`;
}

export function go(view: View, parameters: Readonly<Record<string, string>> = {}): void {
  location.hash = linkTo(view, parameters);
}

export function usePlace(): Place {
  const [fragment, setFragment] = useState(location.hash);
  useEffect(() => {
    const follow = () => setFragment(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return readPlace(fragment);
}
