/** The button that starts and ends a recording. */
import { showNotice, type Elements } from "./elements";
import { Recorder, save } from "./recorder";

export class RecordButton {
  private recorder: Recorder | undefined;

  constructor(private readonly page: Elements, private readonly canvas: () => HTMLCanvasElement,
              private readonly sound: () => Promise<MediaStream | undefined>) {
    page.record.addEventListener("click", () => void this.toggle());
  }

  /** Call after each picture. */
  drawn(): void {
    this.recorder?.draw();
  }

  private async toggle(): Promise<void> {
    const { recorder } = this;
    try {
      if (recorder) {
        this.recorder = undefined;
        save(await recorder.finish(), "locutor");
      } else {
        this.recorder = new Recorder(this.canvas(), await this.sound());
      }
    } catch (error) {
      showNotice(this.page, `No recording: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.page.record.setAttribute("aria-pressed", String(this.recorder !== undefined));
    this.page.record.textContent = this.recorder ? "End recording" : "Record";
  }
}
