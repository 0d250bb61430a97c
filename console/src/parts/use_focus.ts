import { useLayoutEffect, useRef } from "preact/hooks";

/** For what is to have the focus once it is shown; the attribute does that only when a page is loaded, and in dialogs. */
export function useFocus<Focused extends HTMLElement>() {
  const element = useRef<Focused>(null);
  useLayoutEffect(() => element.current?.focus(), []);
  return element;
}
