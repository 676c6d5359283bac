// Checks, pages and screenshots for the browser test. Owns the browser; knows nothing of the story.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const START = { executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"] };

/** Starts the browser. `info` is the JSON line of `ml-intern playground --json`. */
export async function openBrowser(info, directory) {
  await mkdir(directory, { recursive: true });
  const browser = await chromium.launch(START);
  const origin = new URL(info.page_url ?? info.url).origin;
  const token = info.control_token ?? new URLSearchParams(new URL(info.page_url).hash.slice(1)).get("token");
  const results = { passed: 0, failed: 0, pages: [] };

  /** Opens the page as a person; watches for dialogs, page errors and CSP violations. */
  async function page({ as, width = 1360, height = 900, scheme = "light", fragment = `#token=${token}` }) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: "no-preference" });
    const tab = await context.newPage();
    const seen = { dialogs: [], errors: [], outside: [] };
    tab.on("dialog", (dialog) => {
      seen.dialogs.push(dialog.message());
      dialog.dismiss();
    });
    tab.on("pageerror", (error) => seen.errors.push(error.message));
    tab.on("console", (message) => {
      if (message.type() === "error" && !/401|403|ERR_CONNECTION|WebSocket/.test(message.text())) seen.errors.push(message.text());
    });
    tab.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && url.origin !== origin) seen.outside.push(request.url());
    });
    await tab.addInitScript(() => {
      window.violations = [];
      document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    });
    tab.setDefaultTimeout(20_000);
    await tab.goto(`${origin}/${fragment}`);
    if (as) {
      if (width <= 760) await tab.getByTestId("menu").click();
      await tab.locator(`[data-testid="person"][data-name="${as}"]`).click();
      if (width <= 760) await tab.locator('[data-testid="channel-link"]').first().click();
    }
    results.pages.push({ tab, seen, as });
    return Object.assign(tab, { seen, as });
  }

  async function check(name, body, tab) {
    try {
      await body();
      results.passed += 1;
      console.log(`ok      ${name}`);
    } catch (error) {
      results.failed += 1;
      console.log(`FAILED  ${name}\n        ${String(error.message ?? error).split("\n").slice(0, 6).join("\n        ")}`);
      if (tab) await shot(tab, `failed-${results.failed}`);
    }
  }

  async function shot(tab, name) {
    await tab.screenshot({ path: join(directory, `${name}.png`) }).catch(() => {});
  }

  /** What must hold of every page at the end, whatever was written there. */
  async function nothingEscaped() {
    for (const { tab, seen, as } of results.pages) {
      if (tab.isClosed()) continue;
      await check(`the page of ${as ?? "nobody"} ran no foreign code and asked no other host`, async () => {
        equal(seen.dialogs, [], "dialogs");
        equal(seen.errors, [], "errors");
        equal(seen.outside, [], "requests elsewhere");
        equal(await tab.evaluate(() => window.violations), [], "CSP violations");
        equal(await tab.evaluate(() => [...document.querySelectorAll("script")].map((script) => script.getAttribute("src"))), ["/assets/page.js"], "scripts");
        equal(await tab.evaluate(() => document.querySelectorAll("[onerror],[onclick],[onload],iframe,object,embed").length), 0, "hostile elements");
      });
    }
  }

  return { page, check, shot, results, nothingEscaped, origin, token, close: () => browser.close() };
}

export function equal(actual, expected, what) {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what}: expected ${right}, found ${left}`);
}

export function ensure(condition, what) {
  if (!condition) throw new Error(what);
}

/** Waits until `probe` answers something true. */
export async function until(probe, what, within = 20_000) {
  const end = Date.now() + within;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${within / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 120));
  }
}

/** Writes in the channel and returns the row of the new message. */
export async function writes(tab, text) {
  const input = tab.getByTestId("channel-input");
  await input.fill(text);
  await input.press("Escape");
  const [answer] = await Promise.all([tab.waitForResponse((response) => response.url().endsWith("/playground/act")), input.press("Enter")]);
  const { ts } = await answer.json();
  const row = tab.locator(`[data-testid="channel-list"] [data-testid="message"][data-ts="${ts}"]`);
  await row.waitFor();
  return row;
}

export async function goTo(tab, channel) {
  await tab.locator(`[data-testid="channel-link"][data-name="${channel}"]`).click();
}
