import { render } from "preact";

import { makeApi } from "./api/api.ts";
import { App } from "./app.tsx";
import { Session } from "./session.ts";

/** The console lies one folder below the API. */
const root = new URL("../", new URL(".", location.href));
const session = new Session();
const place = document.getElementById("console");
if (place) render(<App root={root} session={session} makeApi={() => makeApi(root, session)} />, place);
