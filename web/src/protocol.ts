// Made by tools/protocol_types.py out of src/locutor/server/protocol.py and packets.py. Do not edit.

export const PROTOCOL = 1

/** Every refusal names one of these. */
export type ErrorCode =
  | 'bad_message'
  | 'bad_protocol'
  | 'unauthorized'
  | 'unknown_avatar'
  | 'unknown_session'
  | 'not_in_control'
  | 'text_too_long'
  | 'too_much_sound'
  | 'too_fast'
  | 'too_many_sessions'
  | 'too_large'
  | 'unreadable_sound'
  | 'cannot_speak'
  | 'not_baked'
  | 'no_consent'
  | 'missing_part'
  | 'not_found'
  | 'too_late'
  | 'internal'

/** The first message of a viewer; nothing else is understood before it. */
export interface Hello {
  type: 'hello'
  /** the version that the viewer speaks. */
  protocol: number
  /** id of an avatar, for a session of one's own. */
  avatar?: string | null
  /** id of a session that is running, to watch it or, when its owner is gone, to take it over. */
  session?: string | null
  /** as the server's owner gave it; needed beyond loopback. */
  token?: string | null
  /** which packets are wanted. Pictures are JPEG, drawn by the server. */
  sound?: boolean
  /** which packets are wanted. Pictures are JPEG, drawn by the server. */
  motion?: boolean
  /** which packets are wanted. Pictures are JPEG, drawn by the server. */
  pictures?: boolean
}

/** Speak a text after what is already waiting. */
export interface Say {
  type: 'say'
  /** plain text. */
  text: string
  /** espeak-ng voice, such as en-us, de, fr-fr+f3. */
  voice?: string
  /** comes back in `said`. */
  id?: string
}

/** Be silent now: raises the epoch, drops everything that waits. */
export interface Interrupt {
  type: 'interrupt'
}

/** The stream of sound packets ends here; what is held back for look-ahead is spoken at once. */
export interface SoundEnds {
  type: 'sound_ends'
}

/** What the viewer has really played, about four times a second. */
export interface Played {
  type: 'played'
  /** media time (16 kHz samples) of the sound that leaves the loudspeaker now. */
  epoch: number
  /** media time (16 kHz samples) of the sound that leaves the loudspeaker now. */
  sample: number
}

/** Held on top of the motion until the next such message. */
export interface Adjust {
  type: 'adjust'
  /** added to the avatar's standardised controls (avatar.json `sliders` gives directions); may be shorter than these, the rest is 0. */
  controls?: number[]
  /** rotation vector, rad, world axes, applied to the head. */
  head_turn?: [number, number, number]
}

/** Answered at once by `pong`. */
export interface Ping {
  type: 'ping'
  /** comes back. */
  id?: number
}

/** What the server takes. */
export interface Limits {
  /** of one text. */
  text_characters: number
  /** seconds of sound that may wait to be spoken. */
  queued_s: number
  /** of one sound file. */
  upload_bytes: number
  /** seconds of sound in one file. */
  upload_s: number
  /** of one connection, over some seconds. */
  messages_per_s: number
  /** of one WebSocket message. */
  message_bytes: number
}

/** The answer to `hello`. */
export interface Ready {
  type: 'ready'
  protocol: number
  /** id of the session; a secret, knowing it is the right to watch. */
  session: string
  /** `control` may speak and interrupt, `watch` only sees. */
  role: 'control' | 'watch'
  avatar: string
  /** where the session stands. */
  epoch: number
  /** where the session stands. */
  frame: number
  /** of media time, Hz. */
  sample_rate: number
  /** of the sound in packets to the viewer, Hz. */
  sound_rate: number
  /** of the sound in packets from the viewer, Hz. */
  heard_rate: number
  /** frame k is shown while samples [k * samples_per_frame, ...) of media time are heard. */
  fps: number
  /** frame k is shown while samples [k * samples_per_frame, ...) of media time are heard. */
  samples_per_frame: number
  /** K of the motion packets. */
  n_coefficients: number
  /** of the driver: sound that it must have before it can give the frame. */
  look_ahead_ms: number
  /** of the pictures. */
  width: number
  /** of the pictures. */
  height: number
  /** address of the baked avatar, relative to the server's root. */
  web: string
  /** show the label; always true of what this server makes. */
  synthetic: boolean
  /** what the server takes. */
  limits: Limits
}

/** Something changed in the session. */
export interface State {
  type: 'state'
  /** `speaks` and `rests`: sound begins or ends at `sample`; `interrupted`: the epoch was raised, drop packets of older ones, rest from `sample` on; `said`: the text `id` begins at once or is next in line. */
  why: 'speaks' | 'rests' | 'interrupted' | 'said'
  /** the epoch now. */
  epoch: number
  /** media time. */
  sample: number
  /** seconds of sound that wait to be spoken. */
  queued_s: number
  /** seconds of this epoch's sound that were really played (of the old epoch for `interrupted`). */
  played_s: number
  /** of the text. */
  id: string
}

/** One stage's latency over the last minute, ms. */
export interface StageLatency {
  /** `speech`, `motion`, `wait`, `draw`, `encode`, `send`. */
  stage: string
  /** percentiles. */
  p50_ms: number
  /** percentiles. */
  p95_ms: number
}

/** The answer to `ping`. */
export interface Pong {
  type: 'pong'
  /** of the ping. */
  id: number
  /** where the session stands now. */
  epoch: number
  /** where the session stands now. */
  sample: number
  /** seconds of sound that wait to be spoken. */
  queued_s: number
  /** frames that this viewer was too slow for. */
  dropped: number
  /** latency of the session's stages. */
  stages: StageLatency[]
}

/** An error: what is wrong and what to do. REST answers carry the same object. */
export interface Refused {
  type: 'error'
  /** for programs. */
  code: ErrorCode
  /** for people. */
  what: string
  /** for people. */
  do: string
  /** the connection is closed after this message. */
  fatal: boolean
}

/** One line of GET /api/avatars. */
export interface AvatarEntry {
  /** in addresses and in `hello`. */
  id: string
  /** for people. */
  name: string
  /** of the server's pictures, px. */
  width: number
  /** of the server's pictures, px. */
  height: number
  /** K. */
  n_coefficients: number
  /** the person was made by a program. */
  synthetic: boolean
  /** whether the bundle holds a consent record. */
  consent: boolean
  /** whether it has a voice model. */
  can_speak: boolean
  /** address of the baked avatar. */
  web: string
  /** address of a picture. */
  preview: string
}

/** The answer of POST /api/sessions. */
export interface SessionEntry {
  /** id; a secret. */
  session: string
  /** who it is. */
  avatar: string
  /** addresses of the server-rendered pictures. */
  video_mjpeg: string
  /** addresses of the server-rendered pictures. */
  video_mp4: string
  /** addresses of the server-rendered pictures. */
  whep: string
}

/** The body of POST /api/sessions. */
export interface SessionOrder {
  /** id of an avatar. */
  avatar: string
}

/** The body of POST /api/sessions/{session}/say; fields as in `say`. */
export interface TextOrder {
  text: string
  voice?: string
  id?: string
}

/** The body of POST /api/passes, which takes the owner's token. */
export interface PassOrder {
  /** seconds until the pass ends. */
  lasts_s: number
}

/** The answer of POST /api/passes. */
export interface Pass {
  /** good in place of the owner's token, except for making passes. */
  token: string
}

/** GET /site.json: what the page asks to know where it is. */
export interface Site {
  /** a server that is alive. */
  kind: 'live'
  /** version. */
  protocol: number
  /** whether `hello` must carry a token. */
  needs_token: boolean
}

export type FromViewer = Hello | Say | Interrupt | SoundEnds | Played | Adjust | Ping
export type FromServer = Ready | State | Pong | Refused

/** Kinds of packets. */
export const SOUND = 1
export const MOTION = 2
export const PICTURE = 3
/** Flag of motion packets: this frame has sound. */
export const SPEAKING = 1
/** Numbers behind the coefficients: head wxyz, head xyz, torso wxyz, torso xyz. */
export const N_POSE = 14
const HEADER_BYTES = 16

/** Sound of one epoch; `sample` is the media time of its first sample. */
export interface SoundPacket {
  kind: typeof SOUND
  epoch: number
  sample: number
  pcm: Int16Array
}

/** One frame of motion: K coefficients, head wxyz, head xyz, torso wxyz, torso xyz. */
export interface MotionPacket {
  kind: typeof MOTION
  epoch: number
  sample: number
  frame: number
  speaking: boolean
  row: Float32Array
}

/** One frame drawn by the server, JPEG. */
export interface PicturePacket {
  kind: typeof PICTURE
  epoch: number
  sample: number
  jpeg: Uint8Array<ArrayBuffer>
}

export type Packet = SoundPacket | MotionPacket | PicturePacket

/** The packets of one binary message. Numbers are little-endian, as on every machine that has a browser. */
export function decodePackets(message: ArrayBuffer): Packet[] {
  const view = new DataView(message)
  const packets: Packet[] = []
  let at = 0
  while (at < message.byteLength) {
    const kind = view.getUint8(at)
    const flags = view.getUint8(at + 1)
    const count = view.getUint16(at + 2, true)
    const epoch = view.getUint32(at + 4, true)
    const sample = view.getFloat64(at + 8, true)
    const body = at + HEADER_BYTES
    let end: number
    if (kind === SOUND) {
      end = body + 2 * count
      packets.push({ kind, epoch, sample, pcm: new Int16Array(message, body, count) })
    } else if (kind === MOTION) {
      end = body + 4 + 4 * count
      const frame = view.getUint32(body, true)
      const row = new Float32Array(message, body + 4, count)
      packets.push({ kind, epoch, sample, frame, speaking: (flags & SPEAKING) !== 0, row })
    } else if (kind === PICTURE) {
      const bytes = view.getUint32(body, true)
      end = body + 4 + bytes
      packets.push({ kind, epoch, sample, jpeg: new Uint8Array(message, body + 4, bytes) })
    } else {
      throw new Error(`a packet of kind ${kind}: the server is newer than this page`)
    }
    at = end + ((4 - (end % 4)) % 4)
  }
  return packets
}

/** Sound of the microphone as one binary message, at the rate that `ready.heard_rate` names. */
export function encodeSound(epoch: number, sample: number, pcm: Int16Array): ArrayBuffer {
  const message = new ArrayBuffer(HEADER_BYTES + 2 * pcm.length + (2 * pcm.length) % 4)
  const view = new DataView(message)
  view.setUint8(0, SOUND)
  view.setUint16(2, pcm.length, true)
  view.setUint32(4, epoch, true)
  view.setFloat64(8, sample, true)
  new Int16Array(message, HEADER_BYTES, pcm.length).set(pcm)
  return message
}
