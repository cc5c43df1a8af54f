/** The page of a server: speaks what it is told, in time, and comes back when the server does. */
import { loadAvatar, loadPage } from "./bake/avatar";
import { Connection, type Listener } from "./live/connection";
import { LivePlayer } from "./live/player";
import { Speaker } from "./live/speaker";
import type { AvatarEntry, Pong, Ready, Refused, Site, State } from "./protocol";
import { showFigures, showNotice, showStatus, type Elements } from "./ui/elements";
import { RecordButton } from "./ui/record_button";
import { SoundInputs } from "./ui/sound_inputs";
import { offerVoices } from "./ui/voices";
import type { Wishes } from "./ui/wishes";
import { AvatarView, drawsWith, PictureView } from "./view";

const SOUND_RATE = 24_000;
const ADJUST_MS = 100;

export async function runLive(page: Elements, wishes: Wishes, site: Site): Promise<LiveApp> {
  const token = tokenOfPage();
  if (site.needs_token && !token) throw new Error("This server asks for a token: open the page with #token=… at the end of its address.");
  const response = await fetch("api/avatars", { headers: authorised(token) });
  if (!response.ok) throw new Error(((await response.json()) as Refused).what);
  const avatars = (await response.json()) as AvatarEntry[];
  return new LiveApp(page, wishes, avatars, token);
}

const tokenOfPage = (): string | undefined => new URLSearchParams(location.hash.slice(1)).get("token") ?? undefined;
const authorised = (token: string | undefined): HeadersInit => (token ? { Authorization: `Bearer ${token}` } : {});

/** Without a graphics card the server draws fifty times faster than the browser; `?draw=here` or `server` decides. */
function drawHere(): boolean {
  const means = drawsWith();
  const wish = new URLSearchParams(location.search).get("draw");
  return means !== "nothing" && (wish ? wish === "here" : means === "hardware");
}

export class LiveApp implements Listener {
  readonly speaker = new Speaker(SOUND_RATE);
  readonly player = new LivePlayer(this.speaker);
  view: AvatarView | PictureView | undefined;
  private connection: Connection | undefined;
  private ready_: Ready | undefined;
  private shownAvatar = "";
  private asked_ms: number | undefined;
  private figures: Record<string, string> = {};
  private sentWishes = "";
  private counted = 0;
  private readonly record: RecordButton;
  private readonly drawHere = drawHere();

  constructor(private readonly page: Elements, private readonly wishes: Wishes, avatars: readonly AvatarEntry[],
              private readonly token: string | undefined) {
    this.record = new RecordButton(page, () => page.view, async () => {
      await this.speaker.unlock();
      return this.speaker.stream;
    });
    this.choices(avatars);
    this.controls();
    new SoundInputs(page, {
      ready: () => this.ready_,
      send: (message) => this.connection?.send(message),
      unlock: () => void this.speaker.unlock(),
      headers: authorised(token),
    });
    offerVoices(page.voice);
    this.connect(avatars[0]?.id);
    this.draw();
    window.setInterval(() => this.adjust(), ADJUST_MS);
    window.setInterval(() => this.count(), 1000);
  }

  // What the connection tells.

  ready(ready: Ready): void {
    this.ready_ = ready;
    this.player.begin(ready.epoch);
    this.sentWishes = "";
    showNotice(this.page, ready.role === "watch" ? "Somebody else is in control of this session: you are watching." : "");
    this.status();
    void this.load(ready);
  }

  packet: Listener["packet"] = (packet) => this.player.take(packet);

  state(state: State): void {
    if (state.why === "interrupted") this.player.interrupt(state.epoch);
    if (state.why === "speaks") this.player.speaksFrom(state.sample);
    if (state.why === "rests") this.player.restsFrom(state.sample);
  }

  pong(pong: Pong, roundTrip_s: number): void {
    const p50 = (stage: string) => pong.stages.find((s) => s.stage === stage)?.p50_ms ?? 0;
    const server_ms = pong.stages.reduce((sum, s) => sum + (s.stage === "speech" ? 0 : s.p50_ms), 0);
    const own_ms = 1000 * (this.player.clock.reserve_s + this.speaker.latency_s);
    const parts = { Server: server_ms, Network: 500 * roundTrip_s, "Reserve and loudspeaker": own_ms };
    const total_ms = server_ms + 500 * roundTrip_s + own_ms;
    this.page.delay.textContent = this.figures["Latency, sound in to picture"] = `${total_ms.toFixed(0)} ms`;
    for (const [name, ms] of Object.entries(parts)) this.figures[`– ${name}`] = `${ms.toFixed(0)} ms`;
    if (p50("speech")) this.figures["Text to speech"] = `${p50("speech").toFixed(0)} ms`;
    if (pong.dropped) this.figures["Frames dropped"] = String(pong.dropped);
    if (pong.queued_s > 0) this.figures["Waiting to be spoken"] = `${pong.queued_s.toFixed(1)} s`;
    else delete this.figures["Waiting to be spoken"];
  }

  refused(refused: Refused): void {
    // The server draws for as many as it can; then the browser must, however slow.
    if (refused.code === "too_many_sessions" && !this.drawHere && drawsWith() !== "nothing") location.search = "?draw=here";
    showNotice(this.page, `${refused.what} ${refused.do}`);
    if (refused.fatal) showStatus(this.page, "refused", "bad");
  }

  down(seconds: number): void {
    this.ready_ = undefined;
    this.page.delay.textContent = "";
    this.speaker.silence();
    showStatus(this.page, `reconnecting in ${seconds.toFixed(1)} s`, "bad");
  }

  // What the user does.

  async say(text: string): Promise<void> {
    if (!text.trim()) return;
    this.asked_ms = performance.now();
    void this.speaker.unlock();
    this.connection?.send({ type: "say", text, voice: this.page.voice.value });
  }

  interrupt(): void {
    if (this.ready_?.role !== "control") return;
    this.connection?.send({ type: "interrupt" });
    this.player.interrupt(this.player.nextEpoch);
  }

  private controls(): void {
    const { page } = this;
    page.speak.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.say(page.text.value);
    });
    page.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      page.speak.requestSubmit();
    });
    page.stop.addEventListener("click", () => this.interrupt());
    window.addEventListener("keydown", (event) => event.key === "Escape" && this.interrupt());
    // Any touch may turn the sound on, as browsers want one.
    for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, () => void this.speaker.unlock(), { once: true });
  }

  private choices(avatars: readonly AvatarEntry[]): void {
    const { avatars: list, who } = this.page;
    list.replaceChildren(...avatars.map(({ id, name }) => new Option(name || id, id)));
    who.hidden = avatars.length < 2;
    list.addEventListener("change", () => this.connect(list.value));
  }

  private connect(avatar: string | undefined): void {
    this.connection?.close();
    showStatus(this.page, "connecting", "wait");
    const address = new URL("api/live", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const wanted = { address: address.href, avatar, token: this.token, pictures: !this.drawHere };
    this.connection = new Connection(wanted, this, () => this.player.playing);
  }

  private async load(ready: Ready): Promise<void> {
    if (this.shownAvatar === ready.avatar) return;
    this.shownAvatar = ready.avatar;
    try {
      if (!this.drawHere) {
        this.view = new PictureView(this.page.view, await loadPage(ready.web, authorised(this.token)), this.wishes);
        return;
      }
      const progress = (share: number) => showStatus(this.page, `loading ${Math.round(100 * share)} %`, "wait");
      const avatar = await loadAvatar(ready.web, progress, authorised(this.token));
      if (this.view instanceof AvatarView) this.view.close();
      this.view = new AvatarView(this.page.view, avatar, this.wishes);
    } catch (error) {
      this.shownAvatar = "";
      showNotice(this.page, error instanceof Error ? error.message : String(error));
    }
  }

  // What goes on by itself.

  private draw(): void {
    if (this.view instanceof AvatarView) this.view.show(this.player.pose());
    else this.view?.show(this.player.picture());
    this.record.drawn();
    if (this.ready_) this.status();
    requestAnimationFrame(() => this.draw());
  }

  private status(): void {
    const { speaks } = this.player;
    if (speaks && this.asked_ms !== undefined) {
      this.figures["From “Speak” to the first sound"] = `${(performance.now() - this.asked_ms).toFixed(0)} ms`;
      this.asked_ms = undefined;
    }
    if (this.view) showStatus(this.page, speaks ? "speaking" : "ready", "good");
  }

  /** Where the server draws, it must know the wishes. */
  private adjust(): void {
    if (!(this.view instanceof PictureView) || !this.ready_) return;
    const wishes = { controls: this.view.controls, head_turn: [...this.wishes.turn] as [number, number, number] };
    const text = JSON.stringify(wishes);
    if (text === this.sentWishes) return;
    if (this.connection?.send({ type: "adjust", ...wishes })) this.sentWishes = text;
  }

  private count(): void {
    const drawn = this.view?.drawn ?? 0;
    this.figures["Frames drawn per second"] = String(drawn - this.counted);
    this.counted = drawn;
    showFigures(this.page, this.figures);
  }
}
