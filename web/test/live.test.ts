import { beforeEach, describe, expect, test } from "vitest";
import { MEDIA_RATE, PlayClock } from "../src/live/play_clock";
import { LivePlayer } from "../src/live/player";
import type { Speaker } from "../src/live/speaker";
import { Track } from "../src/live/track";
import { MOTION, SOUND, decodePackets, encodeSound, type Packet } from "../src/protocol";

const FRAME = 640;
let now_s = 0;
beforeEach(() => {
  now_s = 0;
});

describe("track", () => {
  test("shows what is due and leads over to the next", () => {
    const track = new Track<string>();
    expect(track.at(0)).toBeUndefined();
    track.add(0, "a");
    track.add(640, "b");
    expect(track.at(-5)).toEqual({ before: "a", after: "a", share: 0 });
    expect(track.at(160)).toEqual({ before: "a", after: "b", share: 0.25 });
    expect(track.at(5000)).toEqual({ before: "b", after: "b", share: 0 });
  });

  test("after a cut nothing old is shown", () => {
    const track = new Track<string>();
    ["a", "b", "c"].forEach((value, i) => track.add(640 * i, value));
    track.cut(700, "shown");
    track.add(1920, "new");
    expect(track.at(700 + 610)).toEqual({ before: "shown", after: "new", share: 0.5 });
  });

  test("what is not shown any more is freed, and a track nobody asks does not grow", () => {
    const freed: number[] = [];
    const track = new Track<number>((value) => freed.push(value));
    for (let k = 0; k < 300; k++) track.add(640 * k, k);
    expect(freed).toHaveLength(50);
    track.at(640 * 100);
    expect(freed.at(-1)).toBe(99);
    track.cut(640 * 100, 100);
    expect(freed).toHaveLength(299);
    track.clear();
    expect(freed).toHaveLength(300);
  });

  test("late frames are dropped", () => {
    const track = new Track<string>();
    track.add(640, "a");
    track.add(640, "again");
    track.add(0, "late");
    expect(track.at(0)?.before).toBe("a");
    expect(track.at(700)?.before).toBe("a");
  });
});

describe("clock", () => {
  const clock = () => new PlayClock(() => now_s);

  test("starts one reserve after the first packet and runs with the sound card", () => {
    const it = clock();
    expect(it.position()).toBeUndefined();
    it.arrived(6400, true);
    now_s = it.reserve_s;
    expect(it.position()).toBeCloseTo(6400, 6);
    now_s += 1;
    expect(it.position()).toBeCloseTo(6400 + MEDIA_RATE, 6);
  });

  test("a late packet makes the reserve grow", () => {
    const it = clock();
    it.arrived(0, true);
    const before = it.reserve_s;
    now_s = 0.5;
    it.arrived(FRAME, true); // was due at .14 s
    expect(it.reserve_s).toBeGreaterThan(before);
    expect(it.when(FRAME)).toBeCloseTo(now_s + it.reserve_s, 9);
  });

  test("an unused reserve is given up, but only in silence", () => {
    const it = clock();
    const feed = (quiet: boolean, from_s: number, to_s: number) => {
      // Packets come .4 s before they are due.
      for (now_s = from_s; now_s < to_s; now_s += 0.04) it.arrived(Math.round((now_s + 0.4 - 0.1) * MEDIA_RATE), quiet);
    };
    it.arrived(0, true);
    feed(false, 0, 10);
    expect(it.when(0)).toBeCloseTo(0.1, 9);
    feed(true, 10, 15);
    expect(it.when(0)!).toBeLessThan(0);
  });

  test("a jump in time starts anew", () => {
    const it = clock();
    it.arrived(0, true);
    it.arrived(100 * MEDIA_RATE, true);
    expect(it.when(100 * MEDIA_RATE)).toBeCloseTo(it.reserve_s, 9);
  });
});

describe("player", () => {
  class Heard {
    latency_s = 0;
    played: number[] = [];
    silences = 0;
    now = () => now_s;
    play = (_: unknown, at_s: number) => void this.played.push(at_s);
    silence = () => void this.silences++;
  }
  const motion = (frame: number, epoch: number, speaking = true): Packet => ({
    kind: MOTION, epoch, frame, sample: FRAME * frame, speaking,
    row: Float32Array.of(frame, 1, 0, 0, 0, 0, 0, 10, 1, 0, 0, 0, 0, 0, 10),
  });
  const sound = (sample: number, epoch: number): Packet => ({ kind: SOUND, epoch, sample, pcm: new Int16Array(960) });
  const start = (): [LivePlayer, Heard] => {
    const heard = new Heard();
    const player = new LivePlayer(heard as unknown as Speaker);
    player.begin(3);
    return [player, heard];
  };

  test("sound and picture share one clock", () => {
    const [player, heard] = start();
    for (let k = 0; k < 10; k++) {
      player.take(sound(FRAME * k, 3));
      player.take(motion(k, 3));
    }
    heard.played.forEach((at_s, k) => {
      now_s = at_s;
      expect(player.pose()!.coefficients[0]).toBeCloseTo(k, 4);
    });
  });

  test("an interruption silences at once and no old packet is shown", () => {
    const [player, heard] = start();
    for (let k = 0; k < 10; k++) player.take(motion(k, 3));
    now_s = player.clock.when(2 * FRAME)!;
    expect(player.speaks).toBe(true);
    player.interrupt(4);
    expect(heard.silences).toBe(2); // one of them at the beginning
    expect(player.speaks).toBe(false);
    player.take(motion(8, 3));
    expect(player.pose()!.coefficients[0]).toBeCloseTo(2, 4);
    player.take(motion(10, 4, false));
    now_s = player.clock.when(6 * FRAME)!;
    expect(player.pose()!.coefficients[0]).toBeCloseTo(6, 3); // half way from what was shown to the new epoch
    player.interrupt(4);
    expect(heard.silences).toBe(2);
    expect(player.playing?.epoch).toBe(4);
  });
});

test("packets survive the way back and forth", () => {
  const pcm = Int16Array.of(1, -2, 3);
  const message = encodeSound(5, 77, pcm);
  expect(message.byteLength % 4).toBe(0);
  const [packet] = decodePackets(message);
  expect(packet).toMatchObject({ kind: SOUND, epoch: 5, sample: 77 });
  expect(packet!.kind === SOUND && [...packet!.pcm]).toEqual([1, -2, 3]);
});
