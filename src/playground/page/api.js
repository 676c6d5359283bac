// The control API: token, requests and the live socket. Owns every network call of the page; knows
// nothing of what is drawn. Contract: docs/playground.md.

const TOKEN_KEY = "playground.token";
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 8000;

/** Takes the token from the address bar once, so that it stays out of history and screenshots. */
export function takeToken() {
  const match = /(?:^#|&)token=([^&]+)/.exec(location.hash);
  if (match) {
    sessionStorage.setItem(TOKEN_KEY, decodeURIComponent(match[1]));
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(TOKEN_KEY);
}

export function keepToken(token) {
  sessionStorage.setItem(TOKEN_KEY, token);
}

export function forgetToken() {
  sessionStorage.removeItem(TOKEN_KEY);
}

export class Refused extends Error {}

async function request(path, options = {}) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(TOKEN_KEY) ?? ""}` };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(path, {
    method: options.method ?? "GET",
    headers,
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
    cache: "no-store",
  });
  if (response.status === 401 || response.status === 403) throw new Refused("The workspace does not accept this token.");
  return response;
}

async function json(path, options) {
  let response;
  try {
    response = await request(path, options);
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Error("The workspace does not answer. Is it still running?", { cause: error });
  }
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new Error(`The workspace answered with HTTP ${response.status}.`);
  }
  if (answer && answer.ok === false) throw new Error(String(answer.error ?? "The workspace refused this."));
  if (!response.ok) throw new Error(String(answer?.error ?? `The workspace answered with HTTP ${response.status}.`));
  return answer;
}

export function fetchState() {
  return json("/playground/state");
}

/** A person does something; throws an Error whose message can be shown. */
export function act(user, kind, fields = {}) {
  return json("/playground/act", { method: "POST", body: { user, act: { act: kind, ...fields } } });
}

export async function listFaults() {
  const answer = await json("/playground/faults");
  return Array.isArray(answer) ? answer : answer.faults ?? [];
}

export function setFault(fault) {
  return json("/playground/faults", { method: "POST", body: { fault } });
}

export function clearFaults() {
  return json("/playground/faults", { method: "POST", body: { clear: true } });
}

/** Fetches a file of the workspace. The host is taken from the page, so the token goes nowhere else. */
export async function fetchFile(address) {
  const url = new URL(address, location.origin);
  const response = await request(url.pathname + url.search);
  if (!response.ok) throw new Error(`The file could not be read (HTTP ${response.status}).`);
  return response.blob();
}

/**
 * Keeps a live socket open. Calls `onFrame(frame)`, `onUp()`, `onDown({ retryInMs, retryNow })` and
 * `onRefused()`, and tries again with growing pauses for as long as the page lives.
 */
export function connectLive({ onFrame, onUp, onDown, onRefused }) {
  let attempt = 0;
  let timer = null;
  const open = () => {
    clearTimeout(timer);
    timer = null;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/playground/live`);
    let told = false;
    socket.addEventListener("open", () => socket.send(sessionStorage.getItem(TOKEN_KEY) ?? ""));
    socket.addEventListener("message", (event) => {
      let frame;
      try {
        frame = JSON.parse(event.data);
      } catch {
        return;
      }
      if (frame.kind === "state") {
        attempt = 0;
        onUp();
      }
      onFrame(frame);
    });
    const lost = async () => {
      if (told) return;
      told = true;
      const pause = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** attempt) * (0.8 + Math.random() * 0.4);
      attempt += 1;
      timer = setTimeout(open, pause);
      onDown({ retryInMs: pause, retryNow: () => timer && open() });
      try {
        await fetchState();
      } catch (error) {
        if (error instanceof Refused) {
          clearTimeout(timer);
          timer = null;
          onRefused();
        }
      }
    };
    socket.addEventListener("close", lost);
    socket.addEventListener("error", lost);
  };
  open();
}
