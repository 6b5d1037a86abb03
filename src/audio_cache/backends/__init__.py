"""Engines that other hosts share, each behind an optional extra; nothing below imports them."""
