"""The mixtapes of one user, with all that is done to them."""

from __future__ import annotations

from dataclasses import dataclass

from .additions import Additions
from .drafts import Drafts
from .share_links import ShareLinks
from .store import Mixtapes


@dataclass(frozen=True, slots=True)
class Tapes:
    """What one user has made: mixtapes, drafts and links. What others made is not there."""

    mixtapes: Mixtapes
    drafts: Drafts
    additions: Additions
    share_links: ShareLinks
