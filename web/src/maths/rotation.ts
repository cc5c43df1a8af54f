/** Quaternions are [w, x, y, z]; matrices are rows of three, as in docs/conventions.md. */
export type Vec3 = readonly [number, number, number];
export type Wxyz = readonly [number, number, number, number];

export function product(a: Wxyz, b: Wxyz): Wxyz {
  return [
    a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
    a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
    a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
    a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
  ];
}

export function normalised(q: Wxyz): Wxyz {
  const norm = Math.hypot(q[0], q[1], q[2], q[3]) || 1;
  return [q[0] / norm, q[1] / norm, q[2] / norm, q[3] / norm];
}

export function dot(a: Wxyz, b: Wxyz): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}

/** Rotation by the vector `turn` (rad). */
export function fromTurn(turn: Vec3): Wxyz {
  const angle = Math.hypot(...turn);
  const share = angle > 1e-9 ? Math.sin(angle / 2) / angle : 0.5;
  return [Math.cos(angle / 2), turn[0] * share, turn[1] * share, turn[2] * share];
}

/** Nine numbers, row by row, of a unit quaternion. */
export function matrix([w, x, y, z]: Wxyz): number[] {
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
  ];
}

export function rotate(q: Wxyz, v: Vec3): Vec3 {
  const m = matrix(q);
  return [0, 3, 6].map((r) => m[r]! * v[0] + m[r + 1]! * v[1] + m[r + 2]! * v[2]) as unknown as Vec3;
}
