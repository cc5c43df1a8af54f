/** Sound of one rate in, of another out, as a stream: a sinc under a Hann window, cut off below the lower Nyquist rate. */
const ZERO_CROSSINGS = 12;

export class Resampler {
  private waiting = new Float32Array(0);
  /** Position of the next output in `waiting`, in input samples. */
  private at: number;
  private readonly step: number;
  private readonly cutoff: number;
  private readonly reach: number;

  constructor(from: number, to: number) {
    this.step = from / to;
    this.cutoff = 0.95 * Math.min(1, to / from);
    this.reach = ZERO_CROSSINGS / this.cutoff;
    this.at = 0;
  }

  /** Takes a block and gives what is complete. */
  push(block: Float32Array): Float32Array {
    if (this.step === 1) return block;
    const joined = new Float32Array(this.waiting.length + block.length);
    joined.set(this.waiting);
    joined.set(block, this.waiting.length);
    const out: number[] = [];
    for (; this.at + this.reach < joined.length; this.at += this.step) out.push(this.sample(joined, this.at));
    const kept = Math.max(0, Math.min(joined.length, Math.floor(this.at - this.reach)));
    this.waiting = joined.slice(kept);
    this.at -= kept;
    return Float32Array.from(out);
  }

  private sample(input: Float32Array, at: number): number {
    const first = Math.max(0, Math.ceil(at - this.reach));
    const last = Math.min(input.length - 1, Math.floor(at + this.reach));
    let sum = 0;
    for (let i = first; i <= last; i++) {
      const x = i - at;
      const t = Math.PI * this.cutoff * x;
      const sinc = Math.abs(t) < 1e-9 ? 1 : Math.sin(t) / t;
      sum += input[i]! * sinc * this.cutoff * (0.5 + 0.5 * Math.cos((Math.PI * x) / this.reach));
    }
    return sum;
  }
}

/** Floats in -1..1 as 16-bit numbers. */
export function toInt16(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (value) => Math.round(32767 * Math.max(-1, Math.min(1, value))));
}

/** 16-bit numbers as floats in -1..1. */
export function fromInt16(pcm: Int16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(pcm, (value) => value / 32768);
}
