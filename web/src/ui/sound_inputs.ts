/** Sound to be spoken: a file that is chosen or dropped, and the microphone. */
import { Microphone } from "../live/microphone";
import { toInt16 } from "../maths/resampler";
import { encodeSound, type FromViewer, type Ready, type Refused } from "../protocol";
import { showNotice, type Elements } from "./elements";

export interface Session {
  /** Undefined while the server is not there. */
  ready(): Ready | undefined;
  send(message: FromViewer | ArrayBuffer): void;
  /** Turns the loudspeaker on. */
  unlock(): void;
  readonly headers: HeadersInit;
}

export class SoundInputs {
  private microphone: Microphone | undefined;

  constructor(private readonly page: Elements, private readonly session: Session) {
    page.mic.addEventListener("click", () => void this.listen());
    page.choose.addEventListener("click", () => page.file.click());
    page.file.addEventListener("change", () => {
      const file = page.file.files?.[0];
      if (file) void this.upload(file).finally(() => (page.file.value = ""));
    });
    window.addEventListener("dragover", (event) => {
      event.preventDefault();
      page.drop.hidden = false;
    });
    window.addEventListener("dragleave", (event) => {
      if (event.relatedTarget === null) page.drop.hidden = true;
    });
    window.addEventListener("drop", (event) => {
      event.preventDefault();
      page.drop.hidden = true;
      const file = event.dataTransfer?.files[0];
      if (file) void this.upload(file);
    });
  }

  private async upload(file: File): Promise<void> {
    const ready = this.session.ready();
    if (!ready) return showNotice(this.page, "The server is not there; try again when it is back.");
    const most = ready.limits.upload_bytes;
    if (file.size > most) return showNotice(this.page, `${file.name} is too large: this server takes ${(most / 1e6).toFixed(0)} MB.`);
    showNotice(this.page, `Sending ${file.name} …`);
    this.session.unlock();
    try {
      const answer = await fetch(`api/sessions/${ready.session}/sound`, { method: "POST", body: file, headers: this.session.headers });
      showNotice(this.page, answer.ok ? "" : ((await answer.json()) as Refused).what);
    } catch {
      showNotice(this.page, `${file.name} did not reach the server.`);
    }
  }

  private async listen(): Promise<void> {
    const { page, session } = this;
    if (this.microphone) {
      this.microphone.close();
      this.microphone = undefined;
      session.send({ type: "sound_ends" });
    } else {
      const ready = session.ready();
      if (!ready) return showNotice(page, "The server is not there; try again when it is back.");
      session.unlock();
      try {
        this.microphone = await Microphone.open(ready.heard_rate, (samples) => session.send(encodeSound(0, 0, toInt16(samples))));
      } catch (error) {
        showNotice(page, `No microphone: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    page.mic.setAttribute("aria-pressed", String(this.microphone !== undefined));
    page.mic.textContent = this.microphone ? "End microphone" : "Microphone";
  }
}
