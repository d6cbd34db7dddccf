// The way to the program on this machine: who this browser is, what it reads, what it asks for, and what it is told.

const PROOF = "page-proof";

/** An answer that is no success. Its message is a sentence for the user. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Returns the view and the token in an address such as "#/models?token=...", or "#token=..." without a view. */
function readAddress() {
  const [, view, rest] = /^#(\/[\w-]*)?\??(.*)$/s.exec(location.hash) ?? ["", "", ""];
  return { view: view ?? "", token: new URLSearchParams(rest).get("token") };
}

// An address with a token may be pasted into a page that is open already.
addEventListener("hashchange", () => readAddress().token && location.reload());

/** Turns the token in the address into the right to use the page. Returns whether this browser has shown one. */
export async function enter() {
  const { view, token } = readAddress();
  if (!token) return localStorage.getItem(PROOF) !== null;
  // The token must not stay in the address, nor in the history of the browser.
  history.replaceState(null, "", location.pathname + (view && `#${view}`));
  const answer = await send("/page/session", { method: "POST", body: JSON.stringify({ token }) });
  localStorage.setItem(PROOF, answer.proof);
  return true;
}

/** Reads one thing, such as "/page/sums?days=14". Throws Refused. */
export const read = (path) => send(path);

/** Has the program do something, such as {do: "choose_model", model_id}. Returns its result. Throws Refused. */
export const act = (action) => send("/page/actions", { method: "POST", body: JSON.stringify(action) });

/** Has the browser save what the program sends, such as a table as CSV, under the name that it sends. Throws Refused. */
export async function download(path) {
  const answer = await ask(path);
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
  let file;
  try {
    file = URL.createObjectURL(await answer.blob());
  } catch {
    throw new Refused("The program stopped before all of it had arrived.", 0);
  }
  Object.assign(document.createElement("a"), { href: file, download: name ?? "" }).click();
  setTimeout(() => URL.revokeObjectURL(file), 60_000);
}

/**
 * Listens to what the program tells, until the page is closed. `tell(name, data)` gets each event, and
 * `tell("connection", state)` how the connection is: "live", "lost" or "locked".
 *
 * A page that nobody sees does not listen: a browser has six connections to one address, for all its tabs.
 */
export async function listen(tell) {
  let lastId = "";
  for (let pause = 250; ; pause = Math.min(pause * 2, 5000)) {
    const hidden = await seen();
    try {
      const answer = await fetch("/page/events", { headers: { ...proof(), "Last-Event-ID": lastId }, signal: hidden });
      if (answer.status === 401) {
        tell("connection", "locked");
        return;
      }
      if (!answer.ok) throw new Refused("The program refuses to tell what happens.", answer.status);
      tell("connection", "live");
      pause = 250;
      for await (const event of readEvents(answer.body)) {
        lastId = event.id || lastId;
        tell(event.name, event.data);
      }
    } catch (error) {
      if (!(hidden.aborted || error instanceof TypeError || error instanceof Refused)) console.error(error);
    }
    if (hidden.aborted) continue;
    tell("connection", "lost");
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Waits until the page can be seen. Returns a signal for when it cannot be seen any more. */
async function seen() {
  const change = () => new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
  while (document.hidden) await change();
  const leave = new AbortController();
  change().then(() => leave.abort());
  return leave.signal;
}

async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const frames = (text + value).split("\n\n");
    text = frames.pop();
    for (const frame of frames) {
      const fields = Object.fromEntries(frame.split("\n").map(splitField));
      if (fields.data) yield { name: fields.event, id: fields.id ?? "", data: JSON.parse(fields.data) };
    }
  }
}

function splitField(line) {
  const colon = line.indexOf(": ");
  return [line.slice(0, colon), line.slice(colon + 2)];
}

const proof = () => ({ "X-Page-Proof": localStorage.getItem(PROOF) ?? "" });

async function send(path, options = {}) {
  const answer = await ask(path, options);
  return answer.json().catch(() => ({}));
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: { ...proof(), "Content-Type": "application/json" } });
  } catch {
    throw new Refused("The program does not answer. Is it still running?", 0);
  }
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw new Refused(body.error?.message ?? `The program answers ${answer.status}.`, answer.status);
}
