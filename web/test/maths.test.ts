import { describe, expect, test } from "vitest";
import { fromHalf } from "../src/maths/half";
import { between, poseFromRow, turned } from "../src/maths/pose";
import { Resampler, fromInt16, toInt16 } from "../src/maths/resampler";
import { fromTurn, matrix, product, rotate, type Wxyz } from "../src/maths/rotation";

test("half precision: 1, -2, 1/3, least, infinity", () => {
  const found = fromHalf(Uint16Array.of(0x3c00, 0xc000, 0x3555, 0x0001, 0x7c00));
  expect(found[0]).toBe(1);
  expect(found[1]).toBe(-2);
  expect(found[2]).toBeCloseTo(1 / 3, 3);
  expect(found[3]).toBe(2 ** -24);
  expect(found[4]).toBe(Infinity);
});

describe("rotations", () => {
  test("a turn about y brings z to x", () => {
    const moved = rotate(fromTurn([0, Math.PI / 2, 0]), [0, 0, 1]);
    [1, 0, 0].forEach((value, i) => expect(moved[i]).toBeCloseTo(value, 12));
  });

  test("the product turns first by the right one", () => {
    const a = fromTurn([0.3, -0.2, 0.5]);
    const b = fromTurn([-0.1, 0.7, 0.2]);
    const once = rotate(product(a, b), [1, 2, 3]);
    const twice = rotate(a, rotate(b, [1, 2, 3]));
    once.forEach((value, i) => expect(value).toBeCloseTo(twice[i]!, 12));
  });

  test("matrices are orthogonal", () => {
    const m = matrix(fromTurn([0.4, 1.1, -0.3]));
    const rows = [m.slice(0, 3), m.slice(3, 6), m.slice(6)];
    rows.forEach((p, i) => rows.forEach((q, j) => {
      expect(p.reduce((sum, value, k) => sum + value * q[k]!, 0)).toBeCloseTo(i === j ? 1 : 0, 12);
    }));
  });
});

describe("poses", () => {
  const row = (first: number, head: Wxyz) => Float32Array.of(first, 2, ...head, 0, 0, 10, 1, 0, 0, 0, 0, 0, 10);

  test("between two poses", () => {
    const a = poseFromRow(row(1, [1, 0, 0, 0]));
    const b = poseFromRow(row(3, [-Math.cos(0.2), 0, -Math.sin(0.2), 0])); // the same hemisphere is found
    const middle = between(a, b, 0.5);
    expect([...middle.coefficients]).toEqual([2, 2]);
    expect(middle.head.wxyz[2]).toBeCloseTo(Math.sin(0.1), 4);
    expect(between(a, b, 0)).toEqual(a);
  });

  test("a turned head keeps its pivot and the hemisphere", () => {
    const pose = poseFromRow(row(0, [1, 0, 0, 0]));
    const after = turned(pose, [0.1, 0.3, 0]);
    const pivot = (p: typeof pose) => rotate(p.head.wxyz, [0, 0.5, 0.9]).map((value, i) => value + p.head.xyz[i]!);
    pivot(after).forEach((value, i) => expect(value).toBeCloseTo(pivot(pose)[i]!, 10));
    expect(turned(pose, [0, 0, 0])).toBe(pose);
    // Turned to the picture's left: the face's front, -z, gets a negative x.
    expect(rotate(after.head.wxyz, [0, 0, -1])[0]).toBeLessThan(-0.2);
  });
});

describe("resampling", () => {
  const tone = (rate: number, seconds: number) =>
    Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * 440 * i) / rate));
  const run = (from: number, to: number, block: number) => {
    const resampler = new Resampler(from, to);
    const input = tone(from, 0.5);
    const out: number[] = [];
    for (let i = 0; i < input.length; i += block) out.push(...resampler.push(input.subarray(i, i + block)));
    return out;
  };

  test.each([[48000, 24000], [44100, 24000], [16000, 24000]])("%i Hz to %i Hz keeps the tone", (from, to) => {
    const out = run(from, to, 128);
    const truth = tone(to, 0.5);
    expect(out.length).toBeGreaterThan(0.97 * truth.length);
    for (let i = 100; i < out.length; i++) expect(Math.abs(out[i]! - truth[i]!)).toBeLessThan(0.01);
  });

  test("the size of the blocks does not matter", () => {
    const [a, b] = [run(44100, 24000, 128), run(44100, 24000, 1000)];
    for (let i = 0; i < Math.min(a.length, b.length); i++) expect(a[i]).toBeCloseTo(b[i]!, 6);
  });

  test("what the lower rate cannot hold is taken out", () => {
    const resampler = new Resampler(48000, 16000);
    const high = Float32Array.from({ length: 24000 }, (_, i) => Math.sin((2 * Math.PI * 11000 * i) / 48000));
    const out = resampler.push(high).subarray(50);
    expect(Math.max(...out.map(Math.abs))).toBeLessThan(0.01);
  });

  test("16 bits and back", () => {
    const back = fromInt16(toInt16(Float32Array.of(0, 0.5, -1, 2)));
    [0, 0.5, -1, 1].forEach((value, i) => expect(back[i]).toBeCloseTo(value, 3));
  });
});
