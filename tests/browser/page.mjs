// Drives the playground's page in headless Chromium.
//
//   node page.mjs START.json SCREENSHOTS [--no-bot]
//
// START.json holds the line that `ml-intern playground --json` prints. With --no-bot the workspace
// stands alone and the test plays the app through the Web API. Prints `N passed, N failed`.

import { readFile } from "node:fs/promises";
import { openBrowser } from "./harness.mjs";
import { access, writing, hostile, faults, looks } from "./common.mjs";
import { approveStory, editStory, engineerStory, rejectStory } from "./story.mjs";
import { workspaceStory } from "./workspace.mjs";

const [file, directory, mode] = process.argv.slice(2);
if (!file || !directory || (mode && mode !== "--no-bot")) {
  console.error("usage: node page.mjs START.json SCREENSHOTS [--no-bot]");
  process.exit(2);
}
const line = (await readFile(file, "utf8")).split("\n").find((candidate) => candidate.trim().startsWith("{"));
const info = JSON.parse(line);
const test = await openBrowser(info, directory);
try {
  const response = await fetch(`${test.origin}/playground/state`, { headers: { Authorization: `Bearer ${test.token}` } });
  const state = await response.json();
  const nonApprover = state.people.find((person) => /may not|cannot|not approve/i.test(person.title))?.name;
  const alice = await access(test);
  await writing(test, alice);
  await hostile(test, alice);
  let root = null;
  if (mode === "--no-bot") {
    root = await workspaceStory(test, alice, info);
  } else {
    root = await approveStory(test, alice, nonApprover);
    await editStory(test, alice);
    await rejectStory(test, alice);
    await engineerStory(test, alice);
  }
  await faults(test, alice);
  await looks(test, root);
  await test.nothingEscaped();
} catch (error) {
  test.results.failed += 1;
  console.log(`FAILED  the test itself\n        ${error.stack ?? error}`);
} finally {
  await test.close();
}
console.log(`${test.results.passed} passed, ${test.results.failed} failed`);
process.exit(test.results.failed === 0 ? 0 : 1);
