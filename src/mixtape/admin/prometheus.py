"""Metrics for Prometheus: one table, read when it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from audio_cache import TrafficCount

from .monitor import Monitor

# Label values ("" without a label) and the figure that belongs to them.
_Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric.

    Args:
        name: as it is exposed; counters end in "_total".
        help: what it counts, and in which unit.
        read: returns its figures, by the value of its label.
        label: what its figures differ in; "" for a metric of one figure.
    """

    name: str
    help: str
    read: Callable[[Monitor], _Figures]
    label: str = ""

    @property
    def is_counter(self) -> bool:
        """Say whether it only ever grows."""
        return self.name.endswith("_total")


def _plays(monitor: Monitor) -> _Figures:
    traffic = monitor.state.playback.traffic.snapshot()
    return {
        "hit": traffic.hits,
        "live": traffic.live,
        "miss": traffic.misses,
        "bypass": traffic.bypasses,
    }


def _cap(monitor: Monitor) -> _Figures:
    cap_bytes = monitor.stock().usage.cap_bytes
    return {} if cap_bytes is None else {"": cap_bytes}


def _entries(monitor: Monitor) -> _Figures:
    stats = monitor.census().stats
    by_quality: _Figures = {name: each.entries for name, each in stats.qualities.items()}
    return {**by_quality, "foreign": stats.foreign}


def _entry_bytes(monitor: Monitor) -> _Figures:
    stats = monitor.census().stats
    by_quality: _Figures = {name: each.size_bytes for name, each in stats.qualities.items()}
    return {**by_quality, "foreign": stats.foreign_bytes}


def _one(read: Callable[[Monitor], float]) -> Callable[[Monitor], _Figures]:
    return lambda monitor: {"": read(monitor)}


def _counted(read: Callable[[TrafficCount], float]) -> Callable[[Monitor], _Figures]:
    return _one(lambda monitor: read(monitor.state.playback.traffic.snapshot()))


METRICS: Final = (
    MetricRow(
        "mixtape_plays_total",
        "Answers to plays: from the cache (hit), made while it played (live), the original "
        "because there was nothing else (miss) or because it was asked for (bypass).",
        _plays,
        "kind",
    ),
    MetricRow(
        "mixtape_sent_bytes_total",
        "Bytes of audio in the answers to plays.",
        _counted(lambda traffic: traffic.sent_bytes),
    ),
    MetricRow(
        "mixtape_original_bytes_total",
        "Bytes that the same plays would have taken without the cache.",
        _counted(lambda traffic: traffic.original_bytes),
    ),
    MetricRow(
        "mixtape_hit_bytes_total",
        "Bytes of these answers that came from the cache.",
        _counted(lambda traffic: traffic.hit_bytes),
    ),
    MetricRow(
        "mixtape_bypass_bytes_total",
        "Bytes of these answers that were originals because they were asked for.",
        _counted(lambda traffic: traffic.bypass_bytes),
    ),
    MetricRow(
        "mixtape_downloads_total",
        "Downloads of mixtapes that were begun: ZIP archives, and MP3s of all their tracks.",
        _counted(lambda traffic: traffic.downloads),
    ),
    MetricRow(
        "mixtape_download_bytes_total",
        "Bytes in the answers to downloads, which no figure of plays has in it.",
        _counted(lambda traffic: traffic.download_bytes),
    ),
    MetricRow(
        "mixtape_cache_entries",
        "Entries in the cache; foreign are those that audio_cache did not make.",
        _entries,
        "quality",
    ),
    MetricRow("mixtape_cache_bytes", "Bytes of these entries.", _entry_bytes, "quality"),
    MetricRow(
        "mixtape_cache_partials",
        "Unfinished files in the cache.",
        _one(lambda monitor: monitor.census().stats.partials),
    ),
    MetricRow(
        "mixtape_cache_partial_bytes",
        "Bytes of these unfinished files.",
        _one(lambda monitor: monitor.census().stats.partial_bytes),
    ),
    MetricRow(
        "mixtape_cache_counted_timestamp_seconds",
        "When the cache's directory was last counted, in seconds since the epoch.",
        _one(lambda monitor: monitor.census().at_s),
    ),
    MetricRow(
        "mixtape_cache_cap_bytes",
        "Bytes that the cache may take: AUDIO_CACHE_MAX_SIZE. There is no figure without a cap.",
        _cap,
    ),
    MetricRow(
        "mixtape_cache_floor_bytes",
        "Bytes of the disk that are to stay free: AUDIO_CACHE_MIN_FREE.",
        _one(lambda monitor: monitor.stock().usage.floor_bytes),
    ),
    MetricRow(
        "mixtape_cache_used_bytes",
        "Bytes that the cache takes of its cap: all its files, and the rest of those being made.",
        _one(lambda monitor: monitor.stock().usage.used_bytes),
    ),
    MetricRow(
        "mixtape_cache_pinned",
        "Files in the cache that do not make room, as for a saved mixtape.",
        _one(lambda monitor: monitor.stock().pinned),
    ),
    MetricRow(
        "mixtape_cache_pinned_bytes",
        "Bytes of these files.",
        _one(lambda monitor: monitor.stock().pinned_bytes),
    ),
    MetricRow(
        "mixtape_cache_heads",
        "Renditions of which only the first seconds are in the cache.",
        _one(lambda monitor: monitor.stock().heads),
    ),
    MetricRow(
        "mixtape_cache_head_bytes",
        "Bytes of these beginnings.",
        _one(lambda monitor: monitor.stock().head_bytes),
    ),
    MetricRow(
        "mixtape_cache_evictions_total",
        "Files that made room for others, by all processes since the cache's index was begun.",
        _one(lambda monitor: monitor.stock().evictions),
    ),
    MetricRow(
        "mixtape_cache_evicted_bytes_total",
        "Bytes that were freed by that.",
        _one(lambda monitor: monitor.stock().evicted_bytes),
    ),
    MetricRow(
        "mixtape_encoders_running",
        "ffmpeg processes of this server.",
        _one(lambda monitor: monitor.sample().encoders),
    ),
    MetricRow(
        "mixtape_live_places_busy",
        "Places for listeners' encoders that are taken.",
        _one(lambda monitor: monitor.state.live.busy_encoders),
    ),
    MetricRow(
        "mixtape_live_places",
        "Places for listeners' encoders in all: AUDIO_CACHE_MAX_LIVE.",
        _one(lambda monitor: monitor.state.settings.max_live),
    ),
    MetricRow(
        "mixtape_live_growing",
        "Tracks that are being made for listeners.",
        _one(lambda monitor: len(monitor.state.live.growing())),
    ),
    MetricRow(
        "mixtape_cache_disk_free_bytes",
        "Bytes that the cache's disk has left.",
        _one(lambda monitor: monitor.disk().free_bytes),
    ),
    MetricRow(
        "mixtape_cache_disk_bytes",
        "Size of the cache's disk in bytes.",
        _one(lambda monitor: monitor.disk().total_bytes),
    ),
)


class MonitorCollector(Collector):
    """Reads the monitor when Prometheus asks; the cache's directory is not walked for it."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def collect(self) -> Iterator[Metric]:
        """Yield every metric of the table."""
        for row in METRICS:
            family = CounterMetricFamily if row.is_counter else GaugeMetricFamily
            labels = [row.label] if row.label else []
            metric = family(row.name, row.help, labels=labels)
            for label, figure in row.read(self._monitor).items():
                metric.add_metric([label] if row.label else [], figure)
            yield metric


def make_registry(monitor: Monitor) -> CollectorRegistry:
    """Return a registry of one application: its own metrics, and those of its process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(MonitorCollector(monitor))
    ProcessCollector(registry=registry)
    return registry
