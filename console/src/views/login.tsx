import { useState } from "preact/hooks";

import { ApiError, makeApi } from "../api/api.ts";
import { explain } from "../parts/problem.tsx";
import { useFocus } from "../parts/use_focus.ts";
import type { Refusal, Session } from "../session.ts";

/** Asks the server whether it knows the token. One that may not read is one all the same: 403. */
async function isTaken(root: URL, token: string): Promise<boolean> {
  const api = makeApi(root, { current: () => token, onRefused: () => {} });
  try {
    await api.call("GET", "api/v1/status", { expect: [403] });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
}

interface LoginProperties {
  root: URL;
  session: Session;
  refusal: Refusal;
}

export function Login({ root, session, refusal }: LoginProperties) {
  const [token, setToken] = useState("");
  const tokenField = useFocus<HTMLInputElement>();
  const [isKept, setKept] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState(refusal === "not-valid" ? "The token is not valid any more." : null);

  const enter = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const given = token.trim();
      // Only what may stand in a header is sent at all.
      if (/^[\x21-\x7e]+$/.test(given) && (await isTaken(root, given))) return session.enter(given, isKept);
      setProblem("The server does not know this token.");
    } catch (error) {
      setProblem(explain(error));
    }
    setBusy(false);
  };

  return (
    <main class="login" id="content" tabIndex={-1}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void enter();
        }}
      >
        <img src="icon.svg" alt="" width="40" height="40" />
        <h1>Concord</h1>
        <p>
          <code>{root.host}</code> asks who you are.
        </p>
        <label class="field">
          <span>Token</span>
          <input
            type="password"
            class="code"
            required
            ref={tokenField}
            value={token}
            placeholder="sk_concord_…"
            onInput={(event) => setToken(event.currentTarget.value)}
            autocomplete="off"
            spellcheck={false}
            aria-describedby="login-problem"
          />
        </label>
        <label class="choice">
          <input type="checkbox" checked={isKept} onChange={(event) => setKept(event.currentTarget.checked)} /> Stay signed in while this tab is
          open
        </label>
        <p id="login-problem" class={problem === null ? "" : "problem"} role="alert">
          {problem}
        </p>
        <button type="submit" class="primary" disabled={isBusy || token.trim() === ""}>
          {isBusy ? "Asking…" : "Sign in"}
        </button>
      </form>
    </main>
  );
}
