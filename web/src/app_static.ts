/** The page of a static export: a recorded motion with its sound, sliders, no server. */
import { loadAvatar } from "./bake/avatar";
import { loadRecording } from "./bake/recording";
import { Speaker } from "./live/speaker";
import { between, type Pose } from "./maths/pose";
import { showFigures, showNotice, showStatus, type Elements } from "./ui/elements";
import { RecordButton } from "./ui/record_button";
import type { Wishes } from "./ui/wishes";
import { AvatarView, drawsWith } from "./view";

export interface StaticSite {
  readonly kind: "static";
  readonly avatar: string;
  readonly motion: string;
}

export interface Shown {
  readonly view: AvatarView;
  readonly poses: readonly Pose[];
}

export async function runStatic(page: Elements, wishes: Wishes, site: StaticSite): Promise<Shown | undefined> {
  page.speak.hidden = page.mic.hidden = page.choose.hidden = true;
  page.recording.hidden = false;
  if (drawsWith() === "nothing") {
    showStatus(page, "no WebGL 2", "bad");
    showNotice(page, "This page draws with WebGL 2, which this browser does not have.");
    return undefined;
  }
  showStatus(page, "loading", "wait");
  const [avatar, recording] = await Promise.all([
    loadAvatar(site.avatar, (share) => showStatus(page, `loading ${Math.round(100 * share)} %`, "wait")),
    loadRecording(site.motion),
  ]);
  const view = new AvatarView(page.view, avatar, wishes);
  const { poses, page: about } = recording;
  page.spoken.textContent = about.text ? `“${about.text}”` : `${(poses.length / about.fps).toFixed(1)} s of recorded motion`;
  const speaker = new Speaker();
  let begun_s: number | undefined;
  let sound: AudioBuffer | undefined;

  const play = async () => {
    await speaker.unlock();
    sound ??= await speaker.decode(recording.sound.slice(0));
    speaker.silence();
    begun_s = speaker.now() + 0.05;
    speaker.play(sound, begun_s);
  };
  const stop = () => {
    speaker.silence();
    begun_s = undefined;
  };
  page.play.addEventListener("click", () => void play());
  page.pause.addEventListener("click", stop);
  window.addEventListener("keydown", (event) => event.key === "Escape" && stop());
  const record = new RecordButton(page, () => view.canvas, async () => {
    await speaker.unlock();
    return speaker.stream;
  });

  const draw = () => {
    const at = begun_s === undefined ? 0 : Math.max(0, (speaker.now() - speaker.latency_s - begun_s) * about.fps);
    const k = Math.floor(at);
    if (k >= poses.length) begun_s = undefined;
    const [before, after] = [poses[k], poses[k + 1]];
    const isPlaying = begun_s !== undefined && before !== undefined;
    view.show(isPlaying ? (after ? between(before, after, at - k) : before) : poses[0]);
    record.drawn();
    showStatus(page, isPlaying ? "speaking" : "ready", "good");
    requestAnimationFrame(draw);
  };
  draw();
  figures(page, view);
  return { view, poses };
}

function figures(page: Elements, view: AvatarView): void {
  let [drawn, since] = [view.drawn, performance.now()];
  setInterval(() => {
    const now = performance.now();
    showFigures(page, { "Frames drawn per second": ((1000 * (view.drawn - drawn)) / (now - since)).toFixed(0) });
    [drawn, since] = [view.drawn, now];
  }, 1000);
}
