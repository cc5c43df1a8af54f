/** The avatar's small network in the browser: expressions and head turns without a server. */
import type { BakedAvatar } from "../bake/avatar";
import type { Pose } from "./pose";
import type { Vec3 } from "./rotation";

const HIDDEN = 64;
const N_POSE = 6;

export class Face {
  private readonly atRest: Float32Array;

  constructor(private readonly avatar: BakedAvatar) {
    this.atRest = this.coefficients(Float32Array.from(avatar.page.rest.controls));
  }

  /** Of the face's bases: out(relu(hidden(x))) + direct(x), as `avatar.field.CodeNetwork`. The torso's come after them. */
  coefficients(controls: Float32Array): Float32Array {
    const net = this.avatar.network;
    const linear = (layer: string, x: Float32Array, n: number): Float32Array => {
      const weight = net[`${layer}.weight`]!;
      const bias = net[`${layer}.bias`]!;
      return Float32Array.from({ length: n }, (_, row) => x.reduce((sum, value, i) => sum + value * weight[row * x.length + i]!, bias[row]!));
    };
    const hidden = linear("hidden", controls, HIDDEN).map((value) => Math.max(0, value));
    const n = net["out.bias"]!.length;
    const direct = linear("direct", controls, n);
    return linear("out", hidden, n).map((value, i) => value + direct[i]!);
  }

  /** The neutral face in the reference pose. */
  rest(): Pose {
    const { wxyz, xyz, torso_coefficients } = this.avatar.page.rest;
    return { coefficients: Float32Array.from([...this.atRest, ...torso_coefficients]), head: { wxyz, xyz }, torso: { wxyz, xyz } };
  }

  /**
   * Adds to a pose what sliders and a turn of the head change in the field's coefficients, as seen from rest.
   *
   * `steps` has one number per slider; `turn` is a rotation vector (rad).
   */
  expressed(pose: Pose, steps: readonly number[], turn: Vec3): Pose {
    if (steps.every((step) => step === 0) && turn.every((angle) => angle === 0)) return pose;
    const { rest, sliders, control_std, control_limit } = this.avatar.page;
    const first = rest.controls.length - N_POSE;
    const controls = rest.controls.map((value, i) => {
      const expressed = sliders.reduce((sum, slider, s) => sum + (steps[s] ?? 0) * slider.direction[i]!, value);
      const posed = i >= first && i < first + 3 ? turn[i - first]! / control_std[i]! : 0;
      return Math.max(-control_limit, Math.min(control_limit, expressed + posed));
    });
    const moved = this.coefficients(Float32Array.from(controls));
    const changed = pose.coefficients.map((value, i) => (i < moved.length ? value + moved[i]! - this.atRest[i]! : value));
    return { ...pose, coefficients: changed };
  }
}
