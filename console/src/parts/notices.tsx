import { useCallback, useEffect, useRef, useState } from "preact/hooks";

const shownForMs = 6000;
const mostShown = 4;

interface Notice {
  readonly id: number;
  readonly text: string;
}

/** What was said last, and how to say something. */
export function useNotices(): { notices: readonly Notice[]; say: (text: string) => void } {
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const next = useRef(1);
  const timers = useRef(new Set<number>());
  useEffect(() => () => timers.current.forEach((timer) => clearTimeout(timer)), []);
  const say = useCallback((text: string) => {
    const id = next.current++;
    setNotices((before) => [...before, { id, text }].slice(-mostShown));
    const timer = setTimeout(() => {
      timers.current.delete(timer);
      setNotices((before) => before.filter((notice) => notice.id !== id));
    }, shownForMs);
    timers.current.add(timer);
  }, []);
  return { notices, say };
}

/** Stands in the page from the beginning: screen readers tell what is added to it. */
export function Notices({ notices }: { notices: readonly Notice[] }) {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.map((notice) => (
        <p key={notice.id}>{notice.text}</p>
      ))}
    </div>
  );
}
