/** A recorded motion with its sound (docs/bake.md). */
import { N_BODY, poseFromRow, type Pose } from "../maths/pose";

export interface RecordingPage {
  readonly format: string;
  readonly version: number;
  readonly fps: number;
  readonly n_frames: number;
  readonly n_bases: number;
  readonly binary: string;
  readonly sound: string;
  readonly text: string;
}

export interface Recording {
  readonly page: RecordingPage;
  readonly poses: readonly Pose[];
  /** Encoded sound, as any browser decodes it. */
  readonly sound: ArrayBuffer;
}

export async function loadRecording(address: string): Promise<Recording> {
  const base = new URL(address, document.baseURI);
  const page = (await (await fetch(base)).json()) as RecordingPage;
  if (page.format !== "locutor-motion" || page.version !== 1) throw new Error(`${base.href} is no motion this page can read`);
  const [rows, sound] = await Promise.all(
    [page.binary, page.sound].map(async (name) => (await fetch(new URL(name, base))).arrayBuffer()),
  );
  return { page, poses: posesFromRows(new Float32Array(rows!), page.n_bases), sound: sound! };
}

export function posesFromRows(rows: Float32Array, nBases: number): Pose[] {
  const length = nBases + N_BODY;
  return Array.from({ length: rows.length / length }, (_, k) => poseFromRow(rows.subarray(k * length, (k + 1) * length)));
}
