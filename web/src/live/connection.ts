/** The WebSocket of a live session: says hello, comes back after a break, tells what it hears. */
import { decodePackets, PROTOCOL, type FromServer, type FromViewer, type Packet, type Pong, type Ready, type Refused, type State } from "../protocol";

export interface Listener {
  ready(ready: Ready): void;
  packet(packet: Packet): void;
  state(state: State): void;
  pong(pong: Pong, roundTrip_s: number): void;
  refused(refused: Refused): void;
  /** The connection broke; it is tried again in `seconds`. */
  down(seconds: number): void;
}

export interface Wanted {
  readonly address: string;
  readonly avatar: string | undefined;
  readonly token: string | undefined;
  readonly pictures: boolean;
}

const FIRST_WAIT_S = 0.4;
const LONGEST_WAIT_S = 5;
const PING_MS = 1000;
const PLAYED_MS = 250;
/** A server that answers no ping for this long is gone, even where the network says nothing. */
const SILENT_MS = 6000;
/** The session that we were in is over: ask for a new one. */
const GONE: readonly string[] = ["unknown_session", "too_late"];
/** Trying again would give the same answer. */
const HOPELESS: readonly string[] = ["unauthorized", "bad_protocol", "unknown_avatar", "cannot_speak"];

export class Connection {
  private socket: WebSocket | undefined;
  private session: string | undefined;
  private wait_s = FIRST_WAIT_S;
  private closed = false;
  private heard_ms = 0;
  private timers: number[] = [];
  private readonly pings = new Map<number, number>();
  private nPings = 0;

  constructor(private readonly wanted: Wanted, private readonly listener: Listener,
              private readonly played: () => { epoch: number; sample: number } | undefined) {
    this.open();
  }

  send(message: FromViewer | ArrayBuffer): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(message instanceof ArrayBuffer ? message : JSON.stringify(message));
    return true;
  }

  close(): void {
    this.closed = true;
    this.stopTimers();
    this.socket?.close(1000);
  }

  private open(): void {
    const socket = new WebSocket(this.wanted.address);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.hello();
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      this.heard_ms = performance.now();
      if (typeof event.data === "string") this.hear(JSON.parse(event.data) as FromServer);
      else decodePackets(event.data).forEach((packet) => this.listener.packet(packet));
    };
    socket.onclose = () => this.broken(socket);
  }

  private hello(): void {
    const { avatar, token, pictures } = this.wanted;
    const who = this.session ? { session: this.session } : avatar ? { avatar } : {};
    const message: FromViewer = { type: "hello", protocol: PROTOCOL, ...who, ...(token ? { token } : {}), sound: true, motion: !pictures, pictures };
    this.send(message);
  }

  private hear(message: FromServer): void {
    switch (message.type) {
      case "ready":
        this.session = message.session;
        this.wait_s = FIRST_WAIT_S;
        this.startTimers();
        return this.listener.ready(message);
      case "state":
        return this.listener.state(message);
      case "pong":
        return this.listener.pong(message, (performance.now() - (this.pings.get(message.id) ?? performance.now())) / 1000);
      case "error":
        if (GONE.includes(message.code)) {
          this.session = undefined;
          return;
        }
        if (HOPELESS.includes(message.code)) this.closed = true;
        return this.listener.refused(message);
    }
  }

  private broken(socket: WebSocket): void {
    if (socket !== this.socket) return;
    this.stopTimers();
    if (this.closed) return;
    this.listener.down(this.wait_s);
    window.setTimeout(() => this.closed || this.open(), 1000 * this.wait_s);
    this.wait_s = Math.min(LONGEST_WAIT_S, 1.6 * this.wait_s);
  }

  private startTimers(): void {
    this.stopTimers();
    this.pings.clear();
    const ping = () => {
      if (performance.now() - this.heard_ms > SILENT_MS) return this.socket?.close();
      this.pings.set(++this.nPings, performance.now());
      this.send({ type: "ping", id: this.nPings });
    };
    const report = () => {
      const played = this.played();
      if (played) this.send({ type: "played", ...played });
    };
    this.timers = [window.setInterval(ping, PING_MS), window.setInterval(report, PLAYED_MS)];
  }

  private stopTimers(): void {
    this.timers.forEach((timer) => window.clearInterval(timer));
    this.timers = [];
  }
}
