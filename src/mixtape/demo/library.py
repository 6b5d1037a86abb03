"""The demo library: two short albums that come with the package, for those who set no MUSIC_ROOT.

It is played where it is installed, and nothing is ever written there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

DEMO_LIBRARY: Final = Path(__file__).parent / "music"
