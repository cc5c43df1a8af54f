/** The loudspeaker, and the clock that everything follows. */
const FADE_S = 0.012;

export class Speaker {
  private context: AudioContext | undefined;
  private out: GainNode | undefined;
  private recorded: MediaStreamAudioDestinationNode | undefined;
  private readonly playing = new Set<AudioBufferSourceNode>();
  /** `now()` is this much more than the clock it is read from. */
  private offset_s = 0;
  private onSoundCard = false;

  /** `rate` (Hz): blocks of this rate are played without resampling each by itself. */
  constructor(private readonly rate?: number) {}

  /** Browsers let a page sound only after the user touched it: call this from such an event. */
  async unlock(): Promise<void> {
    if (!this.context) {
      this.context = new AudioContext(this.rate ? { sampleRate: this.rate } : {});
      this.recorded = this.context.createMediaStreamDestination();
      this.out = this.newOutput();
      this.context.addEventListener("statechange", () => this.switchClock());
    }
    if (this.context.state !== "running") await this.context.resume();
    this.switchClock();
  }

  get isOn(): boolean {
    return this.context?.state === "running";
  }

  /** Seconds; never jumps. The sound card's clock, or the computer's while there is no sound. */
  now(): number {
    return this.clock() + this.offset_s;
  }

  /** Seconds from the moment that sound is given away until it is heard. */
  get latency_s(): number {
    return this.context ? this.context.outputLatency || this.context.baseLatency || 0 : 0;
  }

  /** What is heard, for a recording. */
  get stream(): MediaStream | undefined {
    return this.recorded?.stream;
  }

  /** Loudness (root mean square, 0..1) of what is heard in the next seconds. */
  async level(seconds: number): Promise<number> {
    if (!this.context || !this.recorded) return 0;
    const analyser = this.context.createAnalyser();
    const source = this.context.createMediaStreamSource(this.recorded.stream);
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let [sum, count] = [0, 0];
    for (const end_s = this.context.currentTime + seconds; this.context.currentTime < end_s; ) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      analyser.getFloatTimeDomainData(samples);
      sum += samples.reduce((power, value) => power + value * value, 0) / samples.length;
      count++;
    }
    source.disconnect();
    return Math.sqrt(sum / Math.max(1, count));
  }

  decode(sound: ArrayBuffer): Promise<AudioBuffer> {
    if (!this.context) throw new Error("the speaker is locked");
    return this.context.decodeAudioData(sound);
  }

  /** Plays samples at a time of `now()`; what should have been heard already is left out. */
  play(sound: Float32Array<ArrayBuffer> | AudioBuffer, at_s: number): void {
    if (!this.context || !this.out || !this.isOn) return;
    const source = this.context.createBufferSource();
    source.buffer = sound instanceof AudioBuffer ? sound : this.buffer(sound);
    source.connect(this.out);
    // On the grid of samples, or blocks would not meet.
    const rate = this.context.sampleRate;
    const start_s = Math.round((at_s - this.offset_s) * rate) / rate;
    const late_s = this.context.currentTime - start_s;
    if (late_s >= source.buffer.duration) return;
    if (late_s > 0) source.start(0, late_s);
    else source.start(start_s);
    this.playing.add(source);
    source.addEventListener("ended", () => this.playing.delete(source));
  }

  /** Silence now; what was scheduled is never heard. */
  silence(): void {
    if (!this.context || !this.out) return;
    const end = this.context.currentTime + FADE_S;
    this.out.gain.setValueAtTime(1, this.context.currentTime);
    this.out.gain.linearRampToValueAtTime(0, end);
    this.playing.forEach((source) => source.stop(end));
    this.playing.clear();
    this.out = this.newOutput();
  }

  private newOutput(): GainNode {
    const gain = this.context!.createGain();
    gain.connect(this.context!.destination);
    gain.connect(this.recorded!);
    return gain;
  }

  private buffer(samples: Float32Array<ArrayBuffer>): AudioBuffer {
    const made = this.context!.createBuffer(1, samples.length, this.rate ?? this.context!.sampleRate);
    made.copyToChannel(samples, 0);
    return made;
  }

  private clock(): number {
    return this.onSoundCard ? this.context!.currentTime : performance.now() / 1000;
  }

  private switchClock(): void {
    const before = this.now();
    this.onSoundCard = this.isOn;
    this.offset_s = before - this.clock();
  }
}
