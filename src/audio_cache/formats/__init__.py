"""The headers of audio formats, read to the sample and without ffmpeg."""
