import { describe, expect, test } from "vitest";
import { unpack, type AvatarPage } from "../src/bake/avatar";

describe("a baked avatar", () => {
  test("has the whole table of bases, zero where no block stands", () => {
    const rows = new Uint16Array([...Array(27).keys()].map((k) => k + 1)); // 1 basis, 3 groups, 3 Gaussians
    const binary = new ArrayBuffer(16 + 4 * 16 + 4 * 18 + rows.byteLength);
    new Uint16Array(binary, 16, 27).set(rows);
    const page = {
      n_gaussians: 1, n_moved: 5, n_bases: 2,
      bases: [{ part: "bases.torso", first_basis: 1, first_gaussian: 2 }],
      parts: {
        "bases.torso": { offset: 16, type: "float16", shape: [1, 3, 3, 3] },
        gaussians: { offset: 0, type: "float32", shape: [1, 16] },
        bases_scale: { offset: 0, type: "float32", shape: [2, 9] },
      },
    } as unknown as AvatarPage;
    const { bases } = unpack(page, binary, null as unknown as ImageBitmap);
    expect(bases.length).toBe(2 * 3 * 5 * 3);
    expect([...bases.subarray(0, 45)].every((value) => value === 0)).toBe(true);
    for (let group = 0; group < 3; group++) {
      const layer = [...bases.subarray(45 + 15 * group, 60 + 15 * group)];
      expect(layer).toEqual([0, 0, 0, 0, 0, 0, ...rows.subarray(9 * group, 9 * group + 9)]);
    }
  });

  test("whose part is missing is refused", () => {
    const page = { n_gaussians: 0, n_moved: 0, n_bases: 0, bases: [{ part: "x", first_basis: 0, first_gaussian: 0 }],
      parts: { gaussians: { offset: 0, type: "float32", shape: [0, 16] }, bases_scale: { offset: 0, type: "float32", shape: [0, 9] } } };
    expect(() => unpack(page as unknown as AvatarPage, new ArrayBuffer(0), null as unknown as ImageBitmap)).toThrow("lacks x");
  });
});
