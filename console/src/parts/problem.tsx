import { ApiError } from "../api/api.ts";

/** What a refusal means to whoever looks at the console. */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  switch (error.status) {
    case 0:
      return "The server does not answer. The console goes on trying.";
    case 403:
      return `Not permitted: ${error.message}.`;
    case 429:
      return `Too many requests: ${error.message}.`;
    case 503:
      return `The cluster is not available: ${error.message}. Nothing was done.`;
    case 504:
      return `No answer in time: ${error.message}.`;
    default:
      return `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
  }
}

export function Problem({ error }: { error: unknown }) {
  if (error === undefined || error === null) return null;
  return (
    <p class="problem" role="alert">
      {explain(error)}
    </p>
  );
}
