"""The way from a source to the exact bytes of its MP3: options, ffmpeg, frames, tags."""
