/** One frame of motion: a row of K coefficients and the poses of head and torso (docs/bake.md). */
import { dot, fromTurn, normalised, product, rotate, type Vec3, type Wxyz } from "./rotation";

export interface Body {
  readonly wxyz: Wxyz;
  readonly xyz: Vec3;
}

export interface Pose {
  readonly coefficients: Float32Array;
  readonly head: Body;
  readonly torso: Body;
}

export const N_BODY = 14;

/** Reads a row: K coefficients, head wxyz, head xyz, torso wxyz, torso xyz. */
export function poseFromRow(row: Float32Array): Pose {
  const k = row.length - N_BODY;
  const body = (at: number): Body => ({
    wxyz: [row[at]!, row[at + 1]!, row[at + 2]!, row[at + 3]!],
    xyz: [row[at + 4]!, row[at + 5]!, row[at + 6]!],
  });
  return { coefficients: row.subarray(0, k), head: body(k), torso: body(k + 7) };
}

/** The pose a share of the way from `a` to `b`. */
export function between(a: Pose, b: Pose, share: number): Pose {
  const mix = (x: number, y: number): number => x + share * (y - x);
  const body = (p: Body, q: Body): Body => {
    const sign = dot(p.wxyz, q.wxyz) < 0 ? -1 : 1;
    return {
      wxyz: normalised(p.wxyz.map((value, i) => mix(value, sign * q.wxyz[i]!)) as unknown as Wxyz),
      xyz: p.xyz.map((value, i) => mix(value, q.xyz[i]!)) as unknown as Vec3,
    };
  };
  const head = body(a.head, b.head);
  const torso = body(a.torso, b.torso);
  return { coefficients: a.coefficients.map((value, i) => mix(value, b.coefficients[i]!)), head, torso };
}

/** Where the skull turns on the neck, in the head frame (inter-ocular units): below and behind the face. */
const PIVOT: Vec3 = [0, 0.5, 0.9];

/** The head turned by a rotation vector in the camera's frame (rad), about the top of the neck. */
export function turned(pose: Pose, turn: Vec3): Pose {
  if (turn.every((angle) => angle === 0)) return pose;
  const rotation = fromTurn(turn);
  const arm = rotate(pose.head.wxyz, PIVOT);
  const moved = rotate(rotation, arm);
  const xyz = pose.head.xyz.map((value, i) => value + arm[i]! - moved[i]!) as unknown as Vec3;
  const wxyz = product(rotation, pose.head.wxyz);
  // Gaussians of the neck get a weighted sum of both quaternions: they must lie in one hemisphere.
  const sign = dot(wxyz, pose.torso.wxyz) < 0 ? -1 : 1;
  return { ...pose, head: { wxyz: wxyz.map((value) => sign * value) as unknown as Wxyz, xyz } };
}
