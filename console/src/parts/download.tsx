import { useState } from "preact/hooks";

import { useConsole } from "./console.tsx";

interface DownloadProperties {
  /** Of the API. */
  path: string;
  /** Of the file that is made. */
  name: string;
  label?: string;
  /** What screen readers hear behind the label: which of several it is. */
  aside: string;
  onError: (error: unknown) => void;
}

/** A link where nobody asks for a token, so that the browser writes to disk as it comes; else by way of memory. */
export function Download({ path, name, label = "Download", aside, onError }: DownloadProperties) {
  const { api } = useConsole();
  const [isBusy, setBusy] = useState(false);
  const link = api.link(path);
  if (link !== null) {
    return (
      <a class="button" href={link} download={name}>
        {label}
        <span class="aside"> {aside}</span>
      </a>
    );
  }
  const fetchIt = async () => {
    setBusy(true);
    try {
      const url = URL.createObjectURL(await api.download(path));
      const anchor = document.createElement("a");
      anchor.href = url;
      anchor.download = name;
      anchor.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      onError(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button type="button" disabled={isBusy} onClick={() => void fetchIt()}>
      {isBusy ? "Fetching…" : label}
      <span class="aside"> {aside}</span>
    </button>
  );
}
