// What pages see of a device beside the browser, in a browser that has none. It keeps to the Remote
// Playback API as Chromium does it: a device is in reach of an element once that knows how long its
// music is, it takes a press to ask for one, and the device is handed the address that the element
// has then. The element's own clock is the device's.

(() => {
  const all = [];
  class Receiver extends EventTarget {
    constructor(audio) {
      super();
      Object.assign(this, { audio, state: "disconnected", callbacks: [], wasInReach: false });
      for (const name of ["durationchange", "emptied"]) {
        audio.addEventListener(name, () => this.look());
      }
      all.push(this);
    }
    get isInReach() {
      return window.device.isInReach && this.audio.duration > 1;
    }
    look() {
      const { isInReach } = this;
      if (isInReach === this.wasInReach) return;
      this.wasInReach = isInReach;
      for (const callback of this.callbacks) callback(isInReach);
    }
    async watchAvailability(callback) {
      if (this.audio.disableRemotePlayback) throw new DOMException("disabled", "InvalidStateError");
      this.callbacks.push(callback);
      setTimeout(() => callback(this.isInReach));
      return this.callbacks.length;
    }
    prompt() {
      if (!navigator.userActivation.isActive) return Promise.reject(new DOMException("no press", "InvalidAccessError"));
      if (!this.isInReach) return Promise.reject(new DOMException("no device", "NotFoundError"));
      return new Promise((resolve, reject) => Object.assign(window.device, { asked: this, resolve, reject }));
    }
    become(state) {
      const names = { connecting: "connecting", connected: "connect", disconnected: "disconnect" };
      this.state = state;
      this.dispatchEvent(new Event(names[state]));
    }
  }
  const receivers = new WeakMap();
  Object.defineProperty(HTMLMediaElement.prototype, "remote", {
    configurable: true,
    get() {
      if (!receivers.has(this)) receivers.set(this, new Receiver(this));
      return receivers.get(this);
    },
  });
  window.device = {
    isInReach: false,
    asked: null,
    come(isInReach) {
      this.isInReach = isInReach;
      for (const receiver of all) receiver.look();
    },
    choose() {
      this.handed = this.asked.audio.currentSrc;
      this.asked.become("connecting");
      this.resolve();
    },
    dismiss() {
      this.reject(new DOMException("dismissed", "NotAllowedError"));
    },
    connect() {
      this.asked.become("connected");
    },
    leave() {
      this.asked.become("disconnected");
    },
  };
})();
