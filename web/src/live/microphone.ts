/** What the microphone hears, as mono blocks of a wanted rate. */
import { Resampler } from "../maths/resampler";

/** Blocks of this length are handed on: short for the answer, long enough for a message each. */
const BLOCK_S = 0.02;

export class Microphone {
  private constructor(private readonly context: AudioContext, private readonly stream: MediaStream) {}

  /** Throws where the user says no, or where the page has no right to ask (it must come by https or from this machine). */
  static async open(rate: number, onSound: (samples: Float32Array) => void): Promise<Microphone> {
    if (!navigator.mediaDevices || !("audioWorklet" in AudioContext.prototype)) {
      throw new Error("the microphone needs https (or a server on this machine)");
    }
    const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
    const context = new AudioContext();
    const microphone = new Microphone(context, stream);
    try {
      await context.audioWorklet.addModule(new URL("microphone.js", document.baseURI));
      const node = new AudioWorkletNode(context, "microphone", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      const resampler = new Resampler(context.sampleRate, rate);
      const heard: number[] = [];
      node.port.onmessage = (event: MessageEvent<Float32Array>) => {
        heard.push(...resampler.push(event.data));
        if (heard.length >= BLOCK_S * rate) onSound(Float32Array.from(heard.splice(0)));
      };
      context.createMediaStreamSource(stream).connect(node);
      return microphone;
    } catch (error) {
      microphone.close();
      throw error;
    }
  }

  close(): void {
    this.stream.getTracks().forEach((track) => track.stop());
    void this.context.close();
  }
}
