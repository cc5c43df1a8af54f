import { expect, test } from "vitest";
import type { BakedAvatar } from "../src/bake/avatar";
import { Face } from "../src/maths/face";

const F = 8; // two of expression, six of the pose
const N = 2;

/** Coefficients: 3 * controls[0] + relu(controls[1]), and controls[2] (the nod). */
function avatar(): BakedAvatar {
  const zeros = (n: number) => new Float32Array(n);
  const network = {
    "hidden.weight": zeros(64 * F), "hidden.bias": zeros(64), "out.weight": zeros(N * 64), "out.bias": zeros(N),
    "direct.weight": zeros(N * F), "direct.bias": zeros(N),
  };
  network["direct.weight"][0] = 3;
  network["hidden.weight"][1] = 1;
  network["out.weight"][0] = 1;
  network["direct.weight"][F + 2] = 1;
  const page = {
    n_bases: N, n_controls: F, control_limit: 3.5, control_std: [1, 1, 0.1, 0.1, 0.1, 1, 1, 1],
    rest: { controls: [0.5, 0, 0, 0, 0, 0, 0, 0], torso_coefficients: [], wxyz: [1, 0, 0, 0], xyz: [0, 0, 10] },
    sliders: [
      { name: "a", label: "A", direction: [1, 0, 0, 0, 0, 0, 0, 0], least: 0, most: 5 },
      { name: "b", label: "B", direction: [0, 1, 0, 0, 0, 0, 0, 0], least: -5, most: 5 },
    ],
  };
  return { page, network } as unknown as BakedAvatar;
}

test("rest is the network's answer to the controls at rest", () => {
  expect([...new Face(avatar()).rest().coefficients]).toEqual([1.5, 0]);
});

test("the torso's coefficients come after the face's and stay what they are", () => {
  const { page, network } = avatar();
  const dressed = { network, page: { ...page, rest: { ...page.rest, torso_coefficients: [7] } } } as unknown as BakedAvatar;
  const face = new Face(dressed);
  expect([...face.rest().coefficients]).toEqual([1.5, 0, 7]);
  const speaking = { ...face.rest(), coefficients: Float32Array.of(10, 20, 30) };
  expect([...face.expressed(speaking, [1, 0], [0, 0, 0]).coefficients]).toEqual([13, 20, 30]);
});

test("sliders and turns add their difference from rest to whatever moves", () => {
  const face = new Face(avatar());
  const speaking = { ...face.rest(), coefficients: Float32Array.of(10, 20) };
  const of = (steps: number[], nod: number) => [...face.expressed(speaking, steps, [nod, 0, 0]).coefficients];
  expect(of([1, 0], 0)).toEqual([13, 20]);
  expect(of([0, 2], 0)).toEqual([12, 20]);
  expect(of([0, -2], 0)).toEqual([10, 20]); // relu
  expect(of([5, 0], 0)[0]).toBeCloseTo(10 + 3 * 3, 5); // limited to 3.5 standard deviations
  expect(of([0, 0], 0.2)[1]).toBeCloseTo(22, 5);
  expect(face.expressed(speaking, [0, 0], [0, 0, 0])).toBe(speaking);
});
