// The console: finding keys, and editing them beside others.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  admin,
  api,
  button,
  dialog,
  heading,
  notice,
  open,
  openKeyOf,
  page,
  picture,
  put,
  refused,
  signIn,
  stored,
  valueField,
} from "./console_session.mjs";

test("keys are found by prefix and filter, and turned over page by page", async () => {
  await signIn(admin, "#/keys");
  await page.getByText("123 keys").waitFor();
  await openKeyOf("config/api", "");
  await picture("keys");
  const list = page.getByRole("list", { name: "Keys" });
  assert.equal(await list.getByRole("link").count(), 100);
  await button("Next").click();
  await page.getByText("Page 2").waitFor();
  await list.getByRole("link", { name: "users/99" }).waitFor();
  await page.getByLabel("What to search for").fill("users/11");
  await page.getByText("11 keys").waitFor();
  await page.getByLabel("How to search").selectOption("Value matches filter");
  await page.getByLabel("What to search for").fill('{"logins": {"$gte": 119}}');
  await page.keyboard.press("Enter");
  await page.getByText("2 keys").waitFor();
  assert.deepEqual(await list.getByRole("link").allInnerTexts(), ["users/119", "users/120"]);
});

test("a new key is made with all digits of its numbers, and never over another one", async () => {
  await signIn(admin, "#/keys?search=new%2F");
  await page.getByRole("link", { name: "New key" }).click();
  await page.getByLabel("Key", { exact: true }).fill("new/one");
  await valueField().fill('{"big": 9223372036854775807, "exact": 1.0');
  await page.getByText("should stand behind a member (line 1, column 42)").waitFor();
  assert.ok(await button("Create").isDisabled());
  await valueField().press("End");
  await valueField().press("}");
  await page.getByLabel("in", { exact: true }).check();
  await button("Create").click();
  await notice("new/one was made").waitFor();
  assert.match(await stored("new/one"), /"value":\{"big":9223372036854775807,"exact":1\.0\}/);
  assert.match(await valueField().inputValue(), /"big": 9223372036854775807,\n {2}"exact": 1\.0/);
  await page.getByText("as it is, in").waitFor();

  await page.getByRole("link", { name: "New key" }).click();
  await page.getByLabel("Key", { exact: true }).fill("new/one");
  refused.add("PUT 412 /api/v1/kv/new%2Fone");
  await button("Create").click();
  await page.getByText("This key exists already").waitFor();
});

test("an edit keeps the expiry unless another one is chosen", async () => {
  await put("edit/ttl", 1, { ttl: 1000 });
  await signIn(admin, "#/keys?key=edit%2Fttl");
  await valueField().fill("2");
  await valueField().press("Control+s");
  await notice("edit/ttl was saved").waitFor();
  const { text } = await api("GET", "kv/edit%2Fttl?with_ttl=true");
  const { value, ttl } = JSON.parse(text).data;
  assert.equal(value, 2);
  assert.ok(ttl > 900 && ttl <= 1000, `${ttl} s are left`);
  await page.getByLabel("never").check();
  await button("Save").click();
  await page.getByText("Expires").locator("xpath=following-sibling::dd[text()='never']").waitFor();
  assert.match((await api("GET", "kv/edit%2Fttl/ttl")).text, /"ttl":null/);
});

test("a change of somebody else is shown and not overwritten", async () => {
  await put("edit/both", { color: "red", size: 1 });
  await signIn(admin, "#/keys?key=edit%2Fboth");
  await valueField().fill('{"color": "red", "size": 2}');
  await put("edit/both", { color: "green", size: 1 });
  refused.add("PUT 412 /api/v1/kv/edit%2Fboth");
  await button("Save").click();
  await dialog().getByText("was changed meanwhile").waitFor();
  await dialog().getByText('"color": "green"').waitFor();
  assert.deepEqual(await dialog().locator("mark").allInnerTexts(), ['  "color": "green",\n', '  "size": 1\n', '  "color": "red",\n', '  "size": 2\n']);
  await picture("conflict");
  assert.match(await stored("edit/both"), /green/);
  await button("Go on editing").click();
  assert.equal(await valueField().inputValue(), '{"color": "red", "size": 2}', "what was typed stays");
  await button("Save").click();
  await button("Overwrite with mine").click();
  await notice("edit/both was saved").waitFor();
  assert.match(await stored("edit/both"), /"value":\{"color":"red","size":2\}/);
});

test("an entry that nobody edits follows the changes of others", async () => {
  await put("edit/followed", "before");
  await signIn(admin, "#/keys?key=edit%2Ffollowed");
  await valueField().waitFor();
  await put("edit/followed", "after");
  await notice("was changed by somebody else").waitFor();
  assert.equal(await valueField().inputValue(), '"after"');
  refused.add("GET 404 /api/v1/kv/edit%2Ffollowed");
  await api("DELETE", "kv/edit%2Ffollowed");
  await page.getByText("Meanwhile this key was deleted").waitFor();
  await button("Close").click();
  await page.getByText("Choose a key").waitFor();
});

test("what was typed is still there after a look elsewhere", async () => {
  await put("edit/kept", 1);
  await signIn(admin, "#/keys?search=edit%2Fkept&key=edit%2Fkept");
  await valueField().fill("[2");
  await page.getByLabel("What to search for").fill("users/1");
  await page.getByText("32 keys").waitFor();
  assert.equal(await valueField().inputValue(), "[2");
  await page.getByRole("link", { name: "users/10", exact: true }).click();
  await page.getByRole("heading", { name: "users/10" }).waitFor();
  await open("Events");
  await put("edit/kept", 3);
  await openKeyOf("edit/kept");
  assert.equal(await valueField().inputValue(), "[2");
  await page.getByText("Meanwhile somebody changed this key").waitFor();
  await button("Revert").click();
  await button("Show it").click();
  assert.equal(await valueField().inputValue(), "3");
});

test("deleting asks first, and deletes only what was seen", async () => {
  await put("edit/gone", 1);
  await signIn(admin, "#/keys?key=edit%2Fgone");
  await button("Delete…").click();
  await dialog().getByText("edit/gone").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await dialog().count(), 0);
  await button("Delete…").click();
  await put("edit/gone", 2);
  refused.add("DELETE 412 /api/v1/kv/edit%2Fgone");
  await button("Delete").click();
  await dialog().getByText("nothing was deleted").waitFor();
  await page.keyboard.press("Escape");
  await notice("was changed by somebody else").waitFor();
  await button("Delete…").click();
  await button("Delete").click();
  await notice("edit/gone was deleted").waitFor();
  assert.equal(await stored("edit/gone"), undefined);
});

test("bytes are edited as base64, and keys that are no text are shown", async () => {
  await api("PUT", "kv/_wB_?key_encoding=base64url", { value: "AP8=", encoding: "base64" });
  await signIn(admin, "#/keys?key_b64=%2FwB%2F");
  await page.getByRole("heading", { name: "base64:/wB/" }).waitFor();
  assert.equal(await valueField().inputValue(), "AP8=");
  await valueField().fill("AP8");
  await page.getByText("this is no base64").waitFor();
  await valueField().fill(Buffer.from("plain text").toString("base64"));
  await page.getByText("These bytes are text").click();
  await page.getByText("plain text").waitFor();
  await button("Save").click();
  await notice("was saved").waitFor();
  assert.match((await api("GET", "kv/_wB_?key_encoding=base64url")).text, /"value":"cGxhaW4gdGV4dA=="/);
  await api("DELETE", "kv/_wB_?key_encoding=base64url");
});

test("a key that a browser takes for a folder is a key", async () => {
  await api("PUT", "kv/Li4?key_encoding=base64url", { value: "two dots" });
  await signIn(admin, "#/keys?key=..");
  await valueField().waitFor();
  assert.equal(await valueField().inputValue(), '"two dots"');
  await api("DELETE", "kv/Li4?key_encoding=base64url");
});

test("text is never markup", async () => {
  const evil = '<img src=x onerror="document.title=\'taken\'">';
  await put(evil, { [evil]: evil });
  await signIn(admin, `#/keys?key=${encodeURIComponent(evil)}`);
  await page.getByRole("heading", { name: evil }).waitFor();
  await page.evaluate(() => { location.hash = "#/events"; });
  await page.getByText("Nothing has changed since").waitFor();
  await put(evil, evil);
  await page.getByRole("list", { name: "Events" }).getByText(evil).waitFor();
  assert.equal(await page.locator('img[src="x"]').count(), 0);
  assert.notEqual(await page.title(), "taken");
  await api("DELETE", `kv/${encodeURIComponent(evil)}`);
});
