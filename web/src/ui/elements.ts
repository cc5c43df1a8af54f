/** The page's elements, by their id in index.html. */
function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page lacks #${id}`);
  return found;
}

const button = (id: string) => element(id, HTMLButtonElement);
const part = (id: string) => element(id, HTMLElement);

export const elements = () => ({
  status: part("status"),
  delay: part("delay"),
  who: part("who"),
  avatars: element("avatars", HTMLSelectElement),
  stage: part("stage"),
  view: element("view", HTMLCanvasElement),
  notice: part("notice"),
  drop: part("drop"),
  speak: element("speak", HTMLFormElement),
  text: element("text", HTMLTextAreaElement),
  voice: element("voice", HTMLSelectElement),
  say: button("say"),
  stop: button("stop"),
  recording: part("recording"),
  spoken: part("spoken"),
  play: button("play"),
  pause: button("pause"),
  inputs: part("inputs"),
  mic: button("mic"),
  choose: button("choose"),
  file: element("file", HTMLInputElement),
  record: button("record"),
  sliders: part("sliders"),
  reset: button("reset"),
  figures: part("figures"),
});

export type Elements = ReturnType<typeof elements>;
export type State = "wait" | "good" | "bad";

export function showStatus(page: Elements, text: string, state: State): void {
  if (page.status.textContent !== text) page.status.textContent = text;
  page.status.dataset["state"] = state;
}

/** A sentence over the picture; none to take it away. */
export function showNotice(page: Elements, text = ""): void {
  page.notice.textContent = text;
  page.notice.hidden = text === "";
}

/** Rows of figures below the controls. */
export function showFigures(page: Elements, figures: Readonly<Record<string, string>>): void {
  const html = Object.entries(figures).flatMap(([name, value]) => {
    const dt = document.createElement("dt");
    const dd = document.createElement("dd");
    dt.textContent = name;
    dd.textContent = value;
    return [dt, dd];
  });
  page.figures.replaceChildren(...html);
}
