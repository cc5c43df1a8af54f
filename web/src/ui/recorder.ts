/** Records what is seen and heard, with the label, into a file. */
const LABEL = "Synthetic";
const KINDS = ["video/mp4;codecs=avc1.42E01F,mp4a.40.2", "video/webm;codecs=vp9,opus", "video/webm"];
const BITS_PER_S = 4_000_000;

export class Recorder {
  private readonly paper = document.createElement("canvas");
  private readonly chunks: Blob[] = [];
  private readonly media: MediaRecorder;

  /** Throws where the browser cannot record. */
  constructor(private readonly view: HTMLCanvasElement, sound: MediaStream | undefined) {
    if (!("MediaRecorder" in window)) throw new Error("this browser cannot record");
    this.paper.width = view.width;
    this.paper.height = view.height;
    this.draw();
    const stream = this.paper.captureStream(25);
    sound?.getAudioTracks().forEach((track) => stream.addTrack(track));
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    this.media = new MediaRecorder(stream, { ...(mimeType ? { mimeType } : {}), videoBitsPerSecond: BITS_PER_S });
    this.media.ondataavailable = (event) => this.chunks.push(event.data);
    this.media.start(1000);
  }

  /** Call after each picture. */
  draw(): void {
    const context = this.paper.getContext("2d");
    if (!context) return;
    const { width, height } = this.paper;
    const size = height / 28;
    context.drawImage(this.view, 0, 0, width, height);
    context.font = `${size}px system-ui, sans-serif`;
    const box = context.measureText(LABEL).width + size;
    context.fillStyle = "rgb(0 0 0 / 0.6)";
    context.fillRect(size * 0.7, height - 2.3 * size, box, 1.6 * size);
    context.fillStyle = "#fff";
    context.fillText(LABEL, size * 1.2, height - 1.15 * size);
  }

  /** Ends the recording. */
  finish(): Promise<Blob> {
    return new Promise((resolve) => {
      this.media.onstop = () => resolve(new Blob(this.chunks, { type: this.media.mimeType }));
      this.media.stop();
    });
  }
}

/** Hands a file to the user. */
export function save(blob: Blob, stem: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${stem}.${blob.type.includes("mp4") ? "mp4" : "webm"}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
