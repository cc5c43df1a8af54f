/**
 * Media time (16 kHz samples) on the clock of the sound card. Keeps a reserve of what has come but is not played yet:
 * a packet that comes too late makes it grow, a reserve that is never needed is given up in silence.
 */
export const MEDIA_RATE = 16_000;
const LEAST_RESERVE_S = 0.1;
const MOST_RESERVE_S = 0.5;
const STEP_S = 0.02;
/** Over this time the reserve must have been unused before it shrinks. */
const WATCH_S = 4;
const SPARE_S = 0.06;

export class PlayClock {
  private anchor: { sample: number; at_s: number } | undefined;
  private least = { lead_s: Infinity, since_s: 0 };
  reserve_s = LEAST_RESERVE_S;

  constructor(private readonly now: () => number) {}

  /** Media time that is heard now. */
  position(): number | undefined {
    return this.anchor && this.anchor.sample + (this.now() - this.anchor.at_s) * MEDIA_RATE;
  }

  /** Seconds on the sound card's clock at which a sample is heard. */
  when(sample: number): number | undefined {
    return this.anchor && this.anchor.at_s + (sample - this.anchor.sample) / MEDIA_RATE;
  }

  /** A packet of media time `sample` is here. `quiet`: nothing is heard, so time may be skipped. */
  arrived(sample: number, quiet: boolean): void {
    const now = this.now();
    const due = this.when(sample);
    if (due === undefined || Math.abs(due - now) > 2) return this.restart(sample);
    const lead_s = due - now;
    if (lead_s < 0) {
      this.reserve_s = Math.min(MOST_RESERVE_S, this.reserve_s + STEP_S);
      return this.restart(sample);
    }
    if (lead_s < this.least.lead_s) this.least.lead_s = lead_s;
    if (now - this.least.since_s < WATCH_S || !quiet) return;
    const spare_s = this.least.lead_s - LEAST_RESERVE_S;
    if (spare_s > SPARE_S && this.anchor) {
      this.anchor.at_s -= spare_s / 2;
      this.reserve_s = Math.max(LEAST_RESERVE_S, this.reserve_s - spare_s / 2);
    }
    this.least = { lead_s: Infinity, since_s: now };
  }

  /** Forget everything: another session. */
  reset(): void {
    this.anchor = undefined;
  }

  private restart(sample: number): void {
    const now = this.now();
    this.anchor = { sample, at_s: now + this.reserve_s };
    this.least = { lead_s: Infinity, since_s: now };
  }
}
