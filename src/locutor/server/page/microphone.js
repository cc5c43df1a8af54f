// Runs on the sound thread: passes what the microphone hears on to the page, in the blocks that come.
registerProcessor("microphone", class extends AudioWorkletProcessor {
  process([input]) {
    if (input?.[0]) this.port.postMessage(input[0].slice());
    return true;
  }
});
