"""From a source to the exact bytes of its MP3: plans, ffmpeg, frames, tags."""
