// Who may do what: the tokens, new ones with their secret shown once, revoking.

import { useCallback, useState } from "preact/hooks";

import type { Permission, TokenInfo } from "../api/types.ts";
import { keyOf, nameOf } from "../api/key.ts";
import { useConsole } from "../parts/console.tsx";
import { Confirm, Dialog } from "../parts/dialog.tsx";
import { Badge, Empty, Time } from "../parts/facts.tsx";
import { ago, dateTime, duration } from "../parts/format.ts";
import { Problem } from "../parts/problem.tsx";
import { usePoll } from "../parts/use_poll.ts";

const permissions: readonly Permission[] = ["read", "write", "admin"];
const lifetimes: readonly (readonly [string, number | null])[] = [
  ["never", null],
  ["in an hour", 3600],
  ["in a day", 86_400],
  ["in 30 days", 2_592_000],
  ["in 90 days", 7_776_000],
  ["in a year", 31_536_000],
];

interface Made {
  readonly id: string;
  readonly token: string;
}

function NewToken({ onMade, onClose }: { onMade: (made: Made) => void; onClose: () => void }) {
  const { api } = useConsole();
  const [description, setDescription] = useState("");
  const [granted, setGranted] = useState<readonly Permission[]>(["read"]);
  const [prefixes, setPrefixes] = useState("");
  const [lifetime, setLifetime] = useState("in 90 days");
  const isAdmin = granted.includes("admin");
  const make = async () => {
    if (granted.length === 0) throw new Error("A token needs at least one permission.");
    const listed = prefixes.split("\n").filter((line) => line !== "");
    const expiresIn = lifetimes.find(([name]) => name === lifetime)?.[1] ?? null;
    const body = {
      permissions: granted,
      ...(description === "" ? {} : { description }),
      ...(listed.length === 0 || isAdmin ? {} : { prefixes: listed }),
      ...(expiresIn === null ? {} : { expires_in: expiresIn }),
    };
    onMade(await api.data<Made>("POST", "api/v1/tokens", { body: JSON.stringify(body) }));
  };
  return (
    <Confirm title="New token" action="Create" onConfirm={make} onClose={onClose}>
      <label class="field">
        <span>What it is for</span>
        <input value={description} placeholder="the app" onInput={(event) => setDescription(event.currentTarget.value)} autocomplete="off" />
      </label>
      <fieldset class="types">
        <legend>It may</legend>
        {permissions.map((permission) => (
          <label key={permission}>
            <input
              type="checkbox"
              checked={granted.includes(permission)}
              onChange={(event) =>
                setGranted(permissions.filter((each) => (each === permission ? event.currentTarget.checked : granted.includes(each))))
              }
            />{" "}
            {permission}
          </label>
        ))}
      </fieldset>
      <label class="field">
        <span>Only keys that start with (a line each; none: all keys)</span>
        <textarea
          class="code"
          rows={3}
          value={isAdmin ? "" : prefixes}
          disabled={isAdmin}
          placeholder={isAdmin ? "an admin can't be limited" : "app/"}
          onInput={(event) => setPrefixes(event.currentTarget.value)}
          spellcheck={false}
        />
      </label>
      <label class="field">
        <span>It expires</span>
        <select value={lifetime} onChange={(event) => setLifetime(event.currentTarget.value)}>
          {lifetimes.map(([name]) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
    </Confirm>
  );
}

function Secret({ made, onClose }: { made: Made; onClose: () => void }) {
  const { say } = useConsole();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(made.token);
      say("The secret was copied.");
    } catch {
      say("The browser does not let the page copy: select the secret and copy it yourself.");
    }
  };
  return (
    <Dialog title="The token's secret" onClose={onClose}>
      <p>It is shown this once: the server keeps only its digest. Put it where the program that needs it finds it.</p>
      <label class="field">
        <span>Secret of the token {made.id}</span>
        <input class="code" readonly value={made.token} onFocus={(event) => event.currentTarget.select()} autofocus />
      </label>
      <div class="actions">
        <button type="button" onClick={() => void copy()}>
          Copy
        </button>
        <button type="button" class="primary" onClick={onClose}>
          I have kept it
        </button>
      </div>
    </Dialog>
  );
}

function expiryOf({ expires_in: left }: TokenInfo) {
  if (left === null) return "never";
  const at = new Date(Date.now() + left * 1000);
  return <Time at={at.toISOString()}>in {duration(left)}</Time>;
}

function TokenRow({ token, onRevoke }: { token: TokenInfo; onRevoke: () => void }) {
  return (
    <tr>
      <th scope="row">{token.description || <span class="empty">no description</span>}</th>
      <td>
        <code>{token.id}</code>
      </td>
      <td>
        {token.permissions.map((permission) => (
          <Badge key={permission} tone={permission === "admin" ? "busy" : "plain"}>
            {permission}
          </Badge>
        ))}
      </td>
      <td>
        {token.prefixes.length === 0
          ? "all keys"
          : token.prefixes.map((prefix) => (
              <code key={nameOf(keyOf(prefix))} class="prefix">
                {nameOf(keyOf(prefix))}
              </code>
            ))}
      </td>
      <td>{token.created_at === null ? "–" : <Time at={token.created_at}>{dateTime(new Date(token.created_at))}</Time>}</td>
      <td>{expiryOf(token)}</td>
      <td>{token.last_used_at === null ? "–" : <Time at={token.last_used_at}>{ago(new Date(token.last_used_at))}</Time>}</td>
      <td class="buttons">
        <button type="button" class="danger" onClick={onRevoke}>
          Revoke<span class="aside"> {token.description || token.id}</span>
        </button>
      </td>
    </tr>
  );
}

export function Tokens() {
  const { api, session, say } = useConsole();
  const read = useCallback(async (signal: AbortSignal) => (await api.data<{ tokens: TokenInfo[] }>("GET", "api/v1/tokens", { signal })).tokens, [api]);
  const tokens = usePoll(read, 10_000);
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<Made | null>(null);
  const [revoked, setRevoked] = useState<TokenInfo | null>(null);
  return (
    <>
      <div class="heading">
        <h1>Tokens</h1>
        <button type="button" class="primary" onClick={() => setMaking(true)}>
          New token…
        </button>
      </div>
      {session.current() === null && (
        <p class="warning">Authentication is off on this server: nobody is asked for a token. Those made here count once auth.enabled is set.</p>
      )}
      <Problem error={tokens.error} />
      {tokens.data?.length === 0 && <Empty>There are no tokens yet.</Empty>}
      {tokens.data && tokens.data.length > 0 && (
        <div class="scroll" role="region" aria-label="Table of tokens" tabIndex={0}>
          <table>
            <thead>
              <tr>
                {["For", "Id", "May", "Keys", "Made", "Expires", "Last used here", "Actions"].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {tokens.data.map((token) => (
                <TokenRow key={token.id} token={token} onRevoke={() => setRevoked(token)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {isMaking && (
        <NewToken
          onClose={() => setMaking(false)}
          onMade={(token) => {
            setMade(token);
            tokens.refresh();
          }}
        />
      )}
      {made !== null && <Secret made={made} onClose={() => setMade(null)} />}
      {revoked !== null && (
        <Confirm
          title="Revoke this token?"
          action="Revoke"
          isDangerous
          onClose={() => setRevoked(null)}
          onConfirm={async () => {
            await api.call("DELETE", `api/v1/tokens/${encodeURIComponent(revoked.id)}`);
            say(`The token ${revoked.description || revoked.id} was revoked.`);
            tokens.refresh();
          }}
        >
          <p>
            <b>{revoked.description || revoked.id}</b> is worth nothing from then on, on all nodes. It can't be brought back.
          </p>
        </Confirm>
      )}
    </>
  );
}
