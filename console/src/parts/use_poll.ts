import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Poll<Data> {
  /** Of the last answer that was none; undefined before the first. */
  readonly data: Data | undefined;
  /** Of the last call; undefined when it went well. */
  readonly error: unknown;
  /** Reads again at once. */
  refresh(): void;
}

/**
 * Reads at once and then `intervalMs` after each answer (0: only at once); not while the page is hidden. Another `read` (by identity:
 * use useCallback) begins anew and forgets what was read.
 */
export function usePoll<Data>(read: (signal: AbortSignal) => Promise<Data>, intervalMs: number): Poll<Data> {
  const [state, setState] = useState<{ of: unknown; data?: Data; error?: unknown }>({ of: read });
  const again = useRef<() => void>(() => {});
  useEffect(() => {
    const gone = new AbortController();
    let timer = 0;
    let turn = 0;
    const run = async () => {
      clearTimeout(timer);
      const mine = ++turn;
      try {
        const data = await read(gone.signal);
        if (mine === turn && !gone.signal.aborted) setState({ of: read, data });
      } catch (error) {
        if (mine === turn && !gone.signal.aborted) {
          setState((before) => (before.of === read && before.data !== undefined ? { of: read, data: before.data, error } : { of: read, error }));
        }
      }
      if (mine === turn && intervalMs > 0 && !gone.signal.aborted && !document.hidden) {
        timer = setTimeout(() => void run(), intervalMs);
      }
    };
    const wake = () => {
      if (!document.hidden) void run();
    };
    again.current = () => void run();
    void run();
    if (intervalMs > 0) document.addEventListener("visibilitychange", wake);
    return () => {
      gone.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
    };
  }, [read, intervalMs]);
  const refresh = useCallback(() => again.current(), []);
  const isPresent = state.of === read;
  return { data: isPresent ? state.data : undefined, error: isPresent ? state.error : undefined, refresh };
}
