/** What the user sets by hand: expression sliders and the turn of the head, by slider, mouse, touch or arrow keys. */
import type { Slider } from "../bake/avatar";
import type { Vec3 } from "../maths/rotation";
import type { Elements } from "./elements";

/** Farther than this the footage showed nothing (rad). */
const MAX_NOD = 0.2;
const MAX_TURN = 0.35;
const KEY_STEP = 0.04;
/** A drag across the whole picture (rad). */
const DRAG = 1.2;

export class Wishes {
  private nod = 0;
  private side = 0;
  private readonly head: { readonly nod: HTMLInputElement; readonly side: HTMLInputElement };
  private expressions: HTMLInputElement[] = [];

  constructor(private readonly page: Elements) {
    this.head = { side: this.range("turn", "Turn head", -MAX_TURN, MAX_TURN), nod: this.range("nod", "Nod", -MAX_NOD, MAX_NOD) };
    const read = () => this.turnTo(Number(this.head.nod.value), Number(this.head.side.value));
    this.head.nod.addEventListener("input", read);
    this.head.side.addEventListener("input", read);
    page.reset.addEventListener("click", () => this.reset());
    page.view.addEventListener("pointerdown", (event) => this.drag(event));
    page.view.addEventListener("keydown", (event) => this.key(event));
  }

  /** Sliders of another avatar. */
  offer(sliders: readonly Slider[]): void {
    this.expressions.forEach((input) => input.parentElement?.remove());
    this.expressions = sliders.map((slider) => this.range(slider.name, slider.label, slider.least, slider.most));
    this.page.sliders.prepend(...this.expressions.map((input) => input.parentElement!));
  }

  /** One number per slider of the avatar, in its steps. */
  get steps(): number[] {
    return this.expressions.map((input) => Number(input.value));
  }

  /** Rotation vector of the head in the camera's frame (x right, y down, z forward; rad). */
  get turn(): Vec3 {
    return [this.nod, this.side, 0];
  }

  reset(): void {
    this.expressions.forEach((input) => (input.value = "0"));
    this.turnTo(0, 0);
  }

  private turnTo(nod: number, side: number): void {
    this.nod = Math.max(-MAX_NOD, Math.min(MAX_NOD, nod));
    this.side = Math.max(-MAX_TURN, Math.min(MAX_TURN, side));
    this.head.nod.value = String(this.nod);
    this.head.side.value = String(this.side);
  }

  private range(name: string, text: string, least: number, most: number): HTMLInputElement {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "range", name, min: String(least), max: String(most), step: "any", value: "0" });
    label.append(text, input);
    this.page.sliders.append(label);
    return input;
  }

  private drag(event: PointerEvent): void {
    const { view } = this.page;
    view.setPointerCapture(event.pointerId);
    const { nod, side } = this;
    const move = (next: PointerEvent) => {
      const share = DRAG / view.clientWidth;
      // The face follows the pointer: positive turns about y (down) bring its front to the picture's left.
      this.turnTo(nod + (next.clientY - event.clientY) * share, side - (next.clientX - event.clientX) * share);
    };
    const end = () => {
      view.removeEventListener("pointermove", move);
    };
    view.addEventListener("pointermove", move);
    view.addEventListener("pointerup", end, { once: true });
    view.addEventListener("pointercancel", end, { once: true });
  }

  private key(event: KeyboardEvent): void {
    const steps: Record<string, readonly [number, number]> = {
      ArrowLeft: [0, KEY_STEP], ArrowRight: [0, -KEY_STEP], ArrowUp: [-KEY_STEP, 0], ArrowDown: [KEY_STEP, 0],
    };
    const step = steps[event.key];
    if (step) this.turnTo(this.nod + step[0], this.side + step[1]);
    else if (event.key === "Home") this.turnTo(0, 0);
    else return;
    event.preventDefault();
  }
}
