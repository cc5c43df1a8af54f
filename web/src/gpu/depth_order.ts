/**
 * The order in which Gaussians are drawn. The depths are computed here and not on the graphics card: reading them back
 * would cost a frame of delay, and they are a hundredth of the work.
 */
import { displacementBases, type BakedAvatar } from "../bake/avatar";
import type { Pose } from "../maths/pose";
import { matrix } from "../maths/rotation";

const NEAR = 0.01;
const ROW = 16;
const DIGIT_BITS = 11;

export class DepthOrder {
  private readonly bases: Float32Array[];
  private readonly means: Float32Array;
  private readonly attachment: Float32Array;
  private readonly moved: Float32Array;
  private readonly depths: Float32Array;

  constructor(avatar: BakedAvatar) {
    const n = avatar.page.n_gaussians;
    this.bases = displacementBases(avatar);
    this.means = new Float32Array(3 * n);
    this.attachment = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      this.means.set(avatar.gaussians.subarray(ROW * i, ROW * i + 3), 3 * i);
      this.attachment[i] = avatar.gaussians[ROW * i + 3]!;
    }
    this.moved = new Float32Array(3 * n);
    this.depths = new Float32Array(n);
  }

  /** Indices of the Gaussians beyond the near plane, farthest first; of equal depths, the later in the arrays first. */
  farthestFirst(pose: Pose): Uint32Array {
    const { moved, depths, attachment } = this;
    moved.set(this.means);
    this.bases.forEach((basis, k) => {
      const weight = pose.coefficients[k]!;
      for (let i = 0; i < basis.length; i++) moved[i]! += weight * basis[i]!;
    });
    const [, , , , , , hx, hy, hz] = matrix(pose.head.wxyz) as [number, number, number, number, number, number, number, number, number];
    const [, , , , , , tx, ty, tz] = matrix(pose.torso.wxyz) as [number, number, number, number, number, number, number, number, number];
    const headZ = pose.head.xyz[2];
    const torsoZ = pose.torso.xyz[2];
    for (let i = 0; i < depths.length; i++) {
      const w = attachment[i]!;
      const x = moved[3 * i]!;
      const y = moved[3 * i + 1]!;
      const z = moved[3 * i + 2]!;
      depths[i] = w * (hx * x + hy * y + hz * z + headZ) + (1 - w) * (tx * x + ty * y + tz * z + torsoZ);
    }
    return farthestFirst(depths);
  }
}

/** Radix sort of the bits of float32 depths, which order like the numbers as these are positive. */
export function farthestFirst(depths: Float32Array): Uint32Array {
  const bits = new Uint32Array(depths.buffer, depths.byteOffset, depths.length);
  let least = 0xffffffff;
  let most = 0;
  let count = 0;
  let order = new Uint32Array(depths.length);
  // From last to first, so that a stable sort of ascending keys below keeps the order asked for.
  for (let i = depths.length - 1; i >= 0; i--) {
    if (!(depths[i]! >= NEAR)) continue;
    order[count++] = i;
    least = Math.min(least, bits[i]!);
    most = Math.max(most, bits[i]!);
  }
  let next = new Uint32Array(count);
  order = order.slice(0, count);
  const size = 1 << DIGIT_BITS;
  const starts = new Uint32Array(size);
  for (let shift = 0; count > 1 && shift < 32 && (most - least) >>> shift > 0; shift += DIGIT_BITS) {
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[((most - bits[order[i]!]!) >>> shift) & (size - 1)]!++;
    let at = 0;
    for (let digit = 0; digit < size; digit++) {
      const n = starts[digit]!;
      starts[digit] = at;
      at += n;
    }
    for (let i = 0; i < count; i++) {
      const index = order[i]!;
      next[starts[((most - bits[index]!) >>> shift) & (size - 1)]!++] = index;
    }
    [order, next] = [next, order];
  }
  return order;
}
