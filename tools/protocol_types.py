"""TypeScript types of the live protocol, made out of the Python definition.

python tools/protocol_types.py          # write web/src/protocol.ts
python tools/protocol_types.py --check  # exit 1 if it is not up to date
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from locutor.server import packets, protocol

OUT = Path(__file__).parents[1] / "web" / "src" / "protocol.ts"
MODELS: tuple[type[BaseModel], ...] = (
    protocol.Hello,
    protocol.Say,
    protocol.Interrupt,
    protocol.SoundEnds,
    protocol.Played,
    protocol.Adjust,
    protocol.Ping,
    protocol.Limits,
    protocol.Ready,
    protocol.State,
    protocol.StageLatency,
    protocol.Pong,
    protocol.Refused,
    protocol.AvatarEntry,
    protocol.SessionEntry,
    protocol.SessionOrder,
    protocol.TextOrder,
    protocol.PassOrder,
    protocol.Pass,
    protocol.Site,
)
FROM_VIEWER = "Hello | Say | Interrupt | SoundEnds | Played | Adjust | Ping"
FROM_SERVER = "Ready | State | Pong | Refused"
PRIMITIVES = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}

CODEC = f"""
/** Kinds of packets. */
export const SOUND = {packets.SOUND}
export const MOTION = {packets.MOTION}
export const PICTURE = {packets.PICTURE}
/** Flag of motion packets: this frame has sound. */
export const SPEAKING = {packets.SPEAKING}
/** Numbers behind the coefficients: head wxyz, head xyz, torso wxyz, torso xyz. */
export const N_POSE = {packets.N_POSE}
const HEADER_BYTES = {packets.HEADER.size}

/** Sound of one epoch; `sample` is the media time of its first sample. */
export interface SoundPacket {{
  kind: typeof SOUND
  epoch: number
  sample: number
  pcm: Int16Array
}}

/** One frame of motion: K coefficients, head wxyz, head xyz, torso wxyz, torso xyz. */
export interface MotionPacket {{
  kind: typeof MOTION
  epoch: number
  sample: number
  frame: number
  speaking: boolean
  row: Float32Array
}}

/** One frame drawn by the server, JPEG. */
export interface PicturePacket {{
  kind: typeof PICTURE
  epoch: number
  sample: number
  jpeg: Uint8Array<ArrayBuffer>
}}

export type Packet = SoundPacket | MotionPacket | PicturePacket

/** The packets of one binary message. Numbers are little-endian, as on every machine that has a browser. */
export function decodePackets(message: ArrayBuffer): Packet[] {{
  const view = new DataView(message)
  const packets: Packet[] = []
  let at = 0
  while (at < message.byteLength) {{
    const kind = view.getUint8(at)
    const flags = view.getUint8(at + 1)
    const count = view.getUint16(at + 2, true)
    const epoch = view.getUint32(at + 4, true)
    const sample = view.getFloat64(at + 8, true)
    const body = at + HEADER_BYTES
    let end: number
    if (kind === SOUND) {{
      end = body + 2 * count
      packets.push({{ kind, epoch, sample, pcm: new Int16Array(message, body, count) }})
    }} else if (kind === MOTION) {{
      end = body + 4 + 4 * count
      const frame = view.getUint32(body, true)
      const row = new Float32Array(message, body + 4, count)
      packets.push({{ kind, epoch, sample, frame, speaking: (flags & SPEAKING) !== 0, row }})
    }} else if (kind === PICTURE) {{
      const bytes = view.getUint32(body, true)
      end = body + 4 + bytes
      packets.push({{ kind, epoch, sample, jpeg: new Uint8Array(message, body + 4, bytes) }})
    }} else {{
      throw new Error(`a packet of kind ${{kind}}: the server is newer than this page`)
    }}
    at = end + ((4 - (end % 4)) % 4)
  }}
  return packets
}}

/** Sound of the microphone as one binary message, at the rate that `ready.heard_rate` names. */
export function encodeSound(epoch: number, sample: number, pcm: Int16Array): ArrayBuffer {{
  const message = new ArrayBuffer(HEADER_BYTES + 2 * pcm.length + (2 * pcm.length) % 4)
  const view = new DataView(message)
  view.setUint8(0, SOUND)
  view.setUint16(2, pcm.length, true)
  view.setUint32(4, epoch, true)
  view.setFloat64(8, sample, true)
  new Int16Array(message, HEADER_BYTES, pcm.length).set(pcm)
  return message
}}
"""


def typescript() -> str:
    """The whole file."""
    parts = [
        "// Made by tools/protocol_types.py out of src/locutor/server/protocol.py and packets.py. Do not edit.",
        "",
        f"export const PROTOCOL = {protocol.PROTOCOL}",
        "",
        "/** Every refusal names one of these. */",
        "export type ErrorCode =",
        *(f"  | {_literal(code)}" for code in get_args(protocol.ErrorCode)),
        "",
        *(_interface(model) for model in MODELS),
        f"export type FromViewer = {FROM_VIEWER}",
        f"export type FromServer = {FROM_SERVER}",
    ]
    return "\n".join(parts) + "\n" + CODEC


def _interface(model: type[BaseModel]) -> str:
    schema = model.model_json_schema(ref_template="{model}", mode="serialization")
    about = _attributes(model)
    lines = [f"/** {_first_sentence(model)} */", f"export interface {model.__name__} {{"]
    for name, field in schema.get("properties", {}).items():
        if name in about:
            lines.append(f"  /** {about[name]} */")
        required = model.model_fields[name].is_required() or name == "type" or _from_server(model)
        lines.append(f"  {name}{'' if required else '?'}: {_type(field)}")
    return "\n".join([*lines, "}", ""])


def _from_server(model: type[BaseModel]) -> bool:
    """What the server writes has every field; what a viewer writes may leave out those with a default."""
    viewer = get_args(get_args(protocol.FromViewer)[0])
    return model not in (*viewer, protocol.TextOrder)


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"])
    if "const" in field:
        return _literal(field["const"])
    if "enum" in field:
        values = field["enum"]
        return "ErrorCode" if tuple(values) == get_args(protocol.ErrorCode) else " | ".join(map(_literal, values))
    if "anyOf" in field:
        return " | ".join(_type(option) for option in field["anyOf"])
    if field["type"] == "array":
        if "prefixItems" in field:
            return f"[{', '.join(_type(item) for item in field['prefixItems'])}]"
        return f"{_type(field['items'])}[]"
    return PRIMITIVES[field["type"]]


def _literal(value: str) -> str:
    return f"'{value}'"


def _first_sentence(model: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split())


def _attributes(model: type[BaseModel]) -> dict[str, str]:
    """Names and explanations of the docstring's Attributes."""
    text = inspect.getdoc(model) or ""
    _, found, block = text.partition("Attributes:\n")
    about: dict[str, str] = {}
    if found:
        for entry in re.split(r"\n    (?=\S)", "\n" + block)[1:]:
            names, _, meaning = " ".join(entry.split()).partition(": ")
            about |= {name.strip(): meaning for name in names.split(",")}
    return about


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say whether the file is up to date")
    made = typescript()
    if parser.parse_args().check:
        sys.exit(0 if OUT.is_file() and OUT.read_text() == made else f"{OUT} is not up to date: run {sys.argv[0]}")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(made)


if __name__ == "__main__":
    main()
