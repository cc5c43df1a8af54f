/** The picture: an avatar drawn here, or pictures that the server drew. */
import type { AvatarPage, BakedAvatar } from "./bake/avatar";
import { Renderer } from "./gpu/renderer";
import { Face } from "./maths/face";
import { turned, type Pose } from "./maths/pose";
import type { Wishes } from "./ui/wishes";

const IN_SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** What draws WebGL 2 here; asked of a canvas of its own, because a canvas never changes its kind. */
export function drawsWith(): "hardware" | "software" | "nothing" {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return "nothing";
  const details = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(details ? details.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return IN_SOFTWARE.test(name) ? "software" : "hardware";
}

export class AvatarView {
  private renderer: Renderer;
  private readonly face: Face;
  private last = "";
  private lastPose: Pose | undefined;
  /** What the picture shows, the user's wishes included. */
  shown: Pose | undefined;
  /** Frames drawn since the beginning. */
  drawn = 0;

  constructor(readonly canvas: HTMLCanvasElement, readonly avatar: BakedAvatar, private readonly wishes: Wishes) {
    this.renderer = new Renderer(canvas, avatar);
    this.face = new Face(avatar);
    wishes.offer(avatar.page.sliders);
    canvas.addEventListener("webglcontextlost", this.lost);
    canvas.addEventListener("webglcontextrestored", this.restored);
  }

  // Telephones take the graphics card away from pages in the background.
  private readonly lost = (event: Event): void => event.preventDefault();
  private readonly restored = (): void => {
    this.renderer = new Renderer(this.canvas, this.avatar);
    this.last = "";
  };

  /** Draws a pose (rest if there is none) with the user's wishes; nothing if the picture would be the same. */
  show(pose: Pose | undefined): void {
    const { steps, turn } = this.wishes;
    const wishes = [...steps, ...turn].join();
    if (pose === this.lastPose && wishes === this.last) return;
    [this.lastPose, this.last] = [pose, wishes];
    this.shown = turned(this.face.expressed(pose ?? this.face.rest(), steps, turn), turn);
    this.renderer.draw(this.shown);
    this.drawn++;
  }

  /** Draws a pose as it is, and gives the picture as PNG. */
  snapshot(pose: Pose): string {
    this.renderer.draw(pose);
    this.last = "";
    return this.canvas.toDataURL("image/png");
  }

  close(): void {
    this.canvas.removeEventListener("webglcontextlost", this.lost);
    this.canvas.removeEventListener("webglcontextrestored", this.restored);
    this.renderer.close();
  }
}

export class PictureView {
  private last: ImageBitmap | undefined;
  drawn = 0;

  constructor(readonly canvas: HTMLCanvasElement, private readonly page: AvatarPage, private readonly wishes: Wishes) {
    canvas.width = page.camera.width;
    canvas.height = page.camera.height;
    wishes.offer(page.sliders);
  }

  /** What the sliders add to the avatar's controls. */
  get controls(): number[] {
    const { steps } = this.wishes;
    const { sliders, n_controls } = this.page;
    return Array.from({ length: n_controls }, (_, i) => sliders.reduce((sum, slider, s) => sum + (steps[s] ?? 0) * slider.direction[i]!, 0));
  }

  show(picture: ImageBitmap | undefined): void {
    if (!picture || picture === this.last) return;
    this.last = picture;
    this.canvas.getContext("2d")?.drawImage(picture, 0, 0, this.canvas.width, this.canvas.height);
    this.drawn++;
  }
}
