/** What a live session sends, in time: sound to the loudspeaker, frames to whoever asks for the moment. */
import { between, poseFromRow, type Pose } from "../maths/pose";
import { fromInt16 } from "../maths/resampler";
import { MOTION, SOUND, type Packet } from "../protocol";
import { MEDIA_RATE, PlayClock } from "./play_clock";
import type { Speaker } from "./speaker";
import { Track } from "./track";

export class LivePlayer {
  readonly clock: PlayClock;
  private readonly poses = new Track<Pose>();
  private readonly pictures = new Track<ImageBitmap>((bitmap) => bitmap.close());
  private epoch = 0;
  private speech = { from: 0, until: 0 };

  constructor(private readonly speaker: Speaker) {
    this.clock = new PlayClock(() => speaker.now());
  }

  /** A new session, or an old one that is joined again. */
  begin(epoch: number): void {
    this.epoch = epoch;
    this.speech = { from: 0, until: 0 };
    this.clock.reset();
    this.poses.clear();
    this.pictures.clear();
    this.speaker.silence();
  }

  take(packet: Packet): void {
    if (packet.epoch < this.epoch) return;
    if (packet.kind === SOUND) return this.sound(packet.sample, packet.pcm);
    this.clock.arrived(packet.sample, (this.clock.position() ?? 0) > this.speech.until);
    if (packet.kind === MOTION) {
      // A copy: the row lies in the message, which would be kept with it.
      this.poses.add(packet.sample, poseFromRow(packet.row.slice()));
      if (packet.speaking) this.speech.until = Math.max(this.speech.until, packet.sample + MEDIA_RATE / 25);
    } else {
      void createImageBitmap(new Blob([packet.jpeg])).then((bitmap) => {
        if (packet.epoch >= this.epoch) this.pictures.add(packet.sample, bitmap);
        else bitmap.close();
      });
    }
  }

  /** Silence from now on: packets of epochs before `epoch` are dropped, the face goes over to what comes next. */
  interrupt(epoch: number): void {
    if (epoch <= this.epoch) return;
    const position = this.heard();
    const pose = this.pose();
    this.epoch = epoch;
    this.speech = { from: 0, until: 0 };
    this.speaker.silence();
    if (position === undefined) return;
    if (pose) this.poses.cut(position, pose);
    const picture = this.picture();
    if (picture) this.pictures.cut(position, picture);
  }

  /** Raised by one for an interruption that the server has not confirmed yet. */
  get nextEpoch(): number {
    return this.epoch + 1;
  }

  get playing(): { epoch: number; sample: number } | undefined {
    const sample = this.heard();
    return sample === undefined ? undefined : { epoch: this.epoch, sample: Math.max(0, Math.round(sample)) };
  }

  /** Sound begins or ends at a media time. */
  speaksFrom(sample: number): void {
    this.speech = { from: sample, until: Infinity };
  }

  restsFrom(sample: number): void {
    this.speech.until = sample;
  }

  get speaks(): boolean {
    const heard = this.heard() ?? 0;
    return heard >= this.speech.from && heard < this.speech.until;
  }

  pose(): Pose | undefined {
    const position = this.heard();
    const moment = position === undefined ? undefined : this.poses.at(position);
    return moment && (moment.share > 0 ? between(moment.before, moment.after, moment.share) : moment.before);
  }

  picture(): ImageBitmap | undefined {
    const position = this.heard();
    return position === undefined ? undefined : this.pictures.at(position)?.before;
  }

  /** Media time that leaves the loudspeaker now. */
  private heard(): number | undefined {
    const position = this.clock.position();
    return position === undefined ? undefined : position - this.speaker.latency_s * MEDIA_RATE;
  }

  private sound(sample: number, pcm: Int16Array): void {
    if (this.clock.position() === undefined) this.clock.arrived(sample, true);
    const at_s = this.clock.when(sample);
    if (at_s !== undefined) this.speaker.play(fromInt16(pcm), at_s);
  }
}
