/** Reads a baked avatar (docs/bake.md). */
import { fromHalf } from "../maths/half";
import type { Vec3, Wxyz } from "../maths/rotation";

export interface Slider {
  readonly name: string;
  readonly label: string;
  readonly direction: readonly number[];
  readonly least: number;
  readonly most: number;
}

interface Part {
  readonly offset: number;
  readonly type: "float32" | "float16";
  readonly shape: readonly number[];
}

/** Some bases over some Gaussians; the table of all is zero elsewhere. */
interface Block {
  readonly part: string;
  readonly first_basis: number;
  readonly first_gaussian: number;
}

export interface AvatarPage {
  readonly format: string;
  readonly version: number;
  readonly name: string;
  readonly n_gaussians: number;
  readonly n_moved: number;
  readonly n_bases: number;
  readonly n_controls: number;
  readonly fps: number;
  readonly camera: { readonly width: number; readonly height: number; readonly focal_px: number; readonly cx: number; readonly cy: number };
  readonly binary: string;
  readonly plate: string;
  readonly bases: readonly Block[];
  readonly parts: Readonly<Record<string, Part>>;
  readonly rest: {
    readonly controls: readonly number[];
    readonly torso_coefficients: readonly number[];
    readonly wxyz: Wxyz;
    readonly xyz: Vec3;
  };
  readonly control_std: readonly number[];
  readonly control_limit: number;
  readonly sliders: readonly Slider[];
  readonly synthetic: boolean;
  readonly consent: string;
}

export interface BakedAvatar {
  readonly page: AvatarPage;
  /** N rows of mean, attachment, quaternion wxyz, log-scales, opacity, colour, 0. */
  readonly gaussians: Float32Array;
  /** Half precision, [K][3 groups][M][3], scaled. */
  readonly bases: Uint16Array;
  /** [K][9] */
  readonly basesScale: Float32Array;
  readonly network: { readonly [name: string]: Float32Array };
  readonly plate: ImageBitmap;
}

export const BAKE_VERSION = 2;

/** Fetches what is said about the avatar in the folder at `address`. */
export async function loadPage(address: string, headers: HeadersInit = {}): Promise<AvatarPage> {
  const base = new URL(address, document.baseURI);
  const page = (await (await get("avatar.json", base, headers)).json()) as AvatarPage;
  if (page.format !== "locutor-bake" || page.version !== BAKE_VERSION) {
    throw new Error(`${base.href} holds no avatar this page can read (version ${page.version}, not ${BAKE_VERSION}): reload the page`);
  }
  return page;
}

/** Fetches the avatar; `onProgress` hears the share of bytes that have come. */
export async function loadAvatar(address: string, onProgress: (share: number) => void = () => {}, headers: HeadersInit = {}): Promise<BakedAvatar> {
  const base = new URL(address, document.baseURI);
  const page = await loadPage(address, headers);
  const [binary, plate] = await Promise.all([
    get(page.binary, base, headers).then((response) => readWhole(response, onProgress)),
    get(page.plate, base, headers).then((response) => response.blob()),
  ]);
  const bitmap = await createImageBitmap(plate, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  return unpack(page, binary, bitmap);
}

export function unpack(page: AvatarPage, binary: ArrayBuffer, plate: ImageBitmap): BakedAvatar {
  const floats = (name: string): Float32Array => {
    const part = page.parts[name];
    if (!part || part.type !== "float32") throw new Error(`the baked avatar lacks ${name}`);
    return new Float32Array(binary, part.offset, size(part));
  };
  const names = Object.keys(page.parts).filter((name) => name.startsWith("network."));
  return {
    page,
    gaussians: floats("gaussians"),
    bases: wholeTable(page, binary),
    basesScale: floats("bases_scale"),
    network: Object.fromEntries(names.map((name) => [name.slice("network.".length), floats(name)])),
    plate,
  };
}

/** All bases over all Gaussians, as the graphics card takes them. */
function wholeTable(page: AvatarPage, binary: ArrayBuffer): Uint16Array {
  const table = new Uint16Array(9 * page.n_bases * page.n_moved);
  for (const block of page.bases) {
    const part = page.parts[block.part];
    if (!part || part.type !== "float16") throw new Error(`the baked avatar lacks ${block.part}`);
    const layer = 3 * part.shape[2]!;
    const rows = new Uint16Array(binary, part.offset, size(part));
    for (let k = 0; k < rows.length / layer; k++) {
      table.set(rows.subarray(k * layer, (k + 1) * layer), 3 * ((3 * block.first_basis + k) * page.n_moved + block.first_gaussian));
    }
  }
  return table;
}

/** The displacement part of the bases as floats in inter-ocular units, one array [M * 3] per basis. */
export function displacementBases(avatar: BakedAvatar): Float32Array[] {
  const n = 3 * avatar.page.n_moved;
  return Array.from({ length: avatar.page.n_bases }, (_, k) => {
    const basis = fromHalf(avatar.bases.subarray(3 * k * n, (3 * k + 1) * n));
    const scale = avatar.basesScale.subarray(9 * k, 9 * k + 3);
    return basis.map((value, i) => value * scale[i % 3]!);
  });
}

const size = (part: Part): number => part.shape.reduce((a, b) => a * b, 1);

async function get(name: string, base: URL, headers: HeadersInit): Promise<Response> {
  const response = await fetch(new URL(name, base), { headers });
  if (!response.ok) throw new Error(`${base.pathname}${name}: ${response.status} ${response.statusText}`);
  return response;
}

async function readWhole(response: Response, onProgress: (share: number) => void): Promise<ArrayBuffer> {
  const total = Number(response.headers.get("Content-Length") ?? 0);
  if (!response.body || !total) return response.arrayBuffer();
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let done = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
    done += next.value.length;
    onProgress(Math.min(1, done / total));
  }
  const whole = new Uint8Array(done);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole.buffer;
}
