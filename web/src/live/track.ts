/** Things that are shown at a media time: what came, less what an interruption took away. */
export interface Frame<T> {
  readonly sample: number;
  readonly value: T;
}

export interface Moment<T> {
  readonly before: T;
  readonly after: T;
  /** 0 at `before`, 1 at `after`. */
  readonly share: number;
}

/** Ten seconds: in a hidden tab nobody asks for frames, but they come. */
const MOST_FRAMES = 250;

export class Track<T> {
  private frames: Frame<T>[] = [];

  /** `forget` frees what a value holds, once it is not shown any more. */
  constructor(private readonly forget: (value: T) => void = () => {}) {}

  /** Frames come in order; one that is not later than the last is dropped. */
  add(sample: number, value: T): void {
    const last = this.frames.at(-1);
    if (last && sample <= last.sample) return this.forget(value);
    this.frames.push({ sample, value });
    if (this.frames.length > MOST_FRAMES) this.drop(1);
  }

  /** From `sample` on nothing is known any more; what is shown there leads over to whatever comes next. */
  cut(sample: number, shown: T): void {
    this.frames.filter((frame) => frame.value !== shown).forEach((frame) => this.forget(frame.value));
    this.frames = [{ sample, value: shown }];
  }

  clear(): void {
    this.drop(this.frames.length);
  }

  /** The frames around a time; beyond the last, the last. Forgets what lies before. Undefined when there is none. */
  at(sample: number): Moment<T> | undefined {
    let i = 0;
    while (i + 1 < this.frames.length && this.frames[i + 1]!.sample <= sample) i++;
    this.drop(i);
    const [before, after] = this.frames;
    if (!before) return undefined;
    if (!after || sample <= before.sample) return { before: before.value, after: before.value, share: 0 };
    const share = (sample - before.sample) / (after.sample - before.sample);
    return { before: before.value, after: after.value, share };
  }

  private drop(count: number): void {
    this.frames.splice(0, count).forEach((frame) => this.forget(frame.value));
  }
}
