import { expect, test } from "vitest";
import { farthestFirst } from "../src/gpu/depth_order";

test("farthest first, nothing nearer than the near plane", () => {
  const depths = Float32Array.of(3, 0.005, 12.5, 3.0000002, -4, 0.02, NaN);
  expect([...farthestFirst(depths)]).toEqual([2, 3, 0, 5]);
});

test("of equal depths the later is drawn first, and so lies behind", () => {
  expect([...farthestFirst(Float32Array.of(1, 2, 1, 2, 1))]).toEqual([3, 1, 4, 2, 0]);
});

test("agrees with a comparison sort", () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const depths = Float32Array.from({ length: 5000 }, () => 9 + 4 * random());
  const expected = [...depths.keys()].sort((a, b) => depths[b]! - depths[a]! || b - a);
  expect([...farthestFirst(depths)]).toEqual(expected);
});

test("none, and one", () => {
  expect(farthestFirst(new Float32Array(0))).toHaveLength(0);
  expect([...farthestFirst(Float32Array.of(5))]).toEqual([0]);
});
