"""What there is none of here: players ask for it when they start, and go on with an empty list."""

from __future__ import annotations

from ..answers import Payload
from ..call import Call


def get_videos(_call: Call) -> Payload:
    """Return no videos."""
    return {"videos": {"video": []}}


def get_podcasts(_call: Call) -> Payload:
    """Return no podcasts."""
    return {"podcasts": {"channel": []}}


def get_newest_podcasts(_call: Call) -> Payload:
    """Return no episodes of podcasts."""
    return {"newestPodcasts": {"episode": []}}


def get_internet_radio_stations(_call: Call) -> Payload:
    """Return no radio stations."""
    return {"internetRadioStations": {"internetRadioStation": []}}


def get_shares(_call: Call) -> Payload:
    """Return no shares: links of mixtapes are made and taken back on their own pages."""
    return {"shares": {"share": []}}


def get_chat_messages(_call: Call) -> Payload:
    """Return no messages."""
    return {"chatMessages": {"chatMessage": []}}
