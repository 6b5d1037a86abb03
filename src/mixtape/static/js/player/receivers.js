// What a browser knows of other devices that can play for an <audio> element: by the Remote Playback
// API, or by what Safari had before it.

/**
 * @param {HTMLAudioElement} audio
 * @returns {RemotePlayback | AirPlay | null} null where the browser hands nothing to others
 */
export function receiverOf(audio) {
  if (audio.remote?.watchAvailability) return audio.remote;
  return audio.webkitShowPlaybackTargetPicker ? new AirPlay(audio) : null;
}

/** As much of a RemotePlayback as Safari's own events and methods tell. */
class AirPlay extends EventTarget {
  constructor(audio) {
    super();
    this.audio = audio;
    audio.addEventListener("webkitcurrentplaybacktargetiswirelesschanged", () => {
      this.dispatchEvent(new Event(this.state === "connected" ? "connect" : "disconnect"));
    });
  }

  get state() {
    return this.audio.webkitCurrentPlaybackTargetIsWireless ? "connected" : "disconnected";
  }

  async watchAvailability(tell) {
    this.audio.addEventListener("webkitplaybacktargetavailabilitychanged", ({ availability }) => tell(availability === "available"));
  }

  async prompt() {
    this.audio.webkitShowPlaybackTargetPicker();
  }
}
