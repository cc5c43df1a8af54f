import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection, type Listener } from "../src/live/connection";
import { encodeSound, type FromServer, type Hello, type Ready } from "../src/protocol";

class FakeSocket {
  static OPEN = 1;
  static made: FakeSocket[] = [];
  readyState = 1;
  sent: (string | ArrayBuffer)[] = [];
  onopen = () => {};
  onmessage = (_: { data: string | ArrayBuffer }) => {};
  onclose = () => {};

  constructor(readonly address: string) {
    FakeSocket.made.push(this);
  }
  send(data: string | ArrayBuffer): void {
    this.sent.push(data);
  }
  close(): void {
    this.readyState = 3;
    this.onclose();
  }
  hears(message: Partial<FromServer>): void {
    this.onmessage({ data: JSON.stringify(message) });
  }
  get said(): { type: string }[] {
    return this.sent.map((data) => JSON.parse(data as string) as { type: string });
  }
}

const ready = { type: "ready", session: "s1", epoch: 0, role: "control" } as Partial<Ready>;
let listener: { [name in keyof Listener]: ReturnType<typeof vi.fn> };

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("window", globalThis);
  listener = { ready: vi.fn(), packet: vi.fn(), state: vi.fn(), pong: vi.fn(), refused: vi.fn(), down: vi.fn() };
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function connected(): [Connection, FakeSocket] {
  const wanted = { address: "ws://x/api/live", avatar: "demo", token: "t", pictures: false };
  const connection = new Connection(wanted, listener as unknown as Listener, () => ({ epoch: 0, sample: 640 }));
  const socket = FakeSocket.made[0]!;
  socket.onopen();
  socket.hears(ready);
  return [connection, socket];
}

const hello = (socket: FakeSocket) => socket.said.find((message) => message.type === "hello") as Hello;

test("says hello, then tells what was played and pings", () => {
  const [, socket] = connected();
  expect(hello(socket)).toEqual({ type: "hello", protocol: 1, avatar: "demo", token: "t", sound: true, motion: true, pictures: false });
  vi.advanceTimersByTime(1000);
  expect(socket.said.filter((message) => message.type === "played")).toHaveLength(4);
  expect(socket.said.filter((message) => message.type === "ping")).toHaveLength(1);
});

test("after a break it asks for its session, and for a new one when that is over", () => {
  const [, socket] = connected();
  socket.close();
  expect(listener.down).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(500);
  const second = FakeSocket.made[1]!;
  second.onopen();
  expect(hello(second)).toMatchObject({ session: "s1" });
  second.hears({ type: "error", code: "unknown_session", what: "", do: "", fatal: true });
  expect(listener.refused).not.toHaveBeenCalled();
  second.close();
  vi.advanceTimersByTime(1000);
  const third = FakeSocket.made[2]!;
  third.onopen();
  expect(hello(third)).toMatchObject({ avatar: "demo" });
});

test("waits longer from try to try, at most five seconds", () => {
  connected();
  for (let n = 0; n < 20; n++) {
    FakeSocket.made.at(-1)!.close();
    vi.advanceTimersByTime(5000);
  }
  const waits = listener.down.mock.calls.map(([seconds]) => seconds as number);
  expect(waits[0]).toBeLessThan(0.5);
  expect(waits).toEqual([...waits].sort((a, b) => a - b));
  expect(Math.max(...waits)).toBe(5);
});

test("does not try again when that is hopeless or when it was closed", () => {
  const [connection, socket] = connected();
  socket.hears({ type: "error", code: "unauthorized", what: "no", do: "", fatal: true });
  expect(listener.refused).toHaveBeenCalledOnce();
  socket.close();
  connection.close();
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.made).toHaveLength(1);
});

test("a server that falls silent is left", () => {
  const [, socket] = connected();
  vi.advanceTimersByTime(8000);
  expect(socket.readyState).toBe(3);
  expect(FakeSocket.made.length).toBeGreaterThan(1);
});

test("binary messages are packets", () => {
  const [connection, socket] = connected();
  socket.onmessage({ data: encodeSound(2, 1280, Int16Array.of(1, 2)) });
  expect(listener.packet).toHaveBeenCalledWith(expect.objectContaining({ epoch: 2, sample: 1280 }));
  expect(connection.send({ type: "interrupt" })).toBe(true);
  socket.readyState = 3;
  expect(connection.send({ type: "interrupt" })).toBe(false);
});
