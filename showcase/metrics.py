"""What is counted, for Prometheus. One registry a process; the text is served at `/metrics`."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()

REQUESTS = Counter("showcase_requests_total", "Requests answered", ["route", "status"], registry=REGISTRY)
LATENCY = Histogram(
    "showcase_request_seconds",
    "Time to answer",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
SEGMENT_BYTES = Counter("showcase_segment_bytes_total", "Bytes of media sent", registry=REGISTRY)
UPLOAD_BYTES = Counter("showcase_upload_bytes_total", "Bytes of uploads taken", registry=REGISTRY)
REFUSALS = Counter("showcase_media_refusals_total", "Media requests refused", ["code"], registry=REGISTRY)
LISTENERS = Gauge("showcase_event_listeners", "Open event streams", registry=REGISTRY)
DROPPED_EVENTS = Counter("showcase_events_dropped_total", "Events a slow reader lost", registry=REGISTRY)
OLDEST_JOB = Gauge("showcase_oldest_job_seconds", "Time the oldest job that is due has waited", registry=REGISTRY)
JOBS = Gauge("showcase_jobs", "Jobs by state", ["state"], registry=REGISTRY)


def text() -> bytes:
    """All metrics in the Prometheus text format, version 0.0.4."""
    return generate_latest(REGISTRY)
