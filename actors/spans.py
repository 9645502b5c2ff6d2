"""Spans: what a tracing system is told of handlers. OpenTelemetry's are used when it is installed and set up.

A frame with a trace that has a ``traceparent`` makes its handler a span below the sender's; the frames that the handler
sends carry that span on. Frames without one cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any, Protocol

import msgspec

from actors.trace import Trace

INSTRUMENTATION = "podium.actors"


class Spans(Protocol):
    """Where spans come from. ``System(spans=...)`` takes one; None turns spans off."""

    def current(self) -> Trace | None:
        """The trace of the span in which the calling code runs, outside of actors; None without one."""
        ...

    def handling(self, path: str, message: str, trace: Trace) -> AbstractContextManager[Trace]:
        """A span while the actor ``path`` handles a ``message``; gives the trace of what is sent meanwhile."""
        ...


class OpenTelemetrySpans:
    """Spans of the globally configured OpenTelemetry provider, or of ``provider``."""

    def __init__(self, provider: Any = None) -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._trace = trace
        self._tracer = trace.get_tracer(INSTRUMENTATION, tracer_provider=provider)
        self._propagator = TraceContextTextMapPropagator()

    def current(self) -> Trace | None:
        """The trace of the current span; None outside of any."""
        if not self._trace.get_current_span().get_span_context().is_valid:
            return None
        traceparent = self._traceparent()
        return Trace(traceparent.split("-")[1], traceparent=traceparent) if traceparent else None

    @contextmanager
    def handling(self, path: str, message: str, trace: Trace) -> Iterator[Trace]:
        """A consumer span below the one that ``trace`` names; a trace without one stays as it is."""
        if not trace.traceparent:
            yield trace
            return
        parent = self._propagator.extract({"traceparent": trace.traceparent})
        attributes = {"actor.path": path, "actor.message": message, "messaging.operation.type": "process"}
        kind = self._trace.SpanKind.CONSUMER
        name = f"{path} {message.rpartition('.')[2]}"
        with self._tracer.start_as_current_span(name, parent, kind=kind, attributes=attributes):
            yield msgspec.structs.replace(trace, traceparent=self._traceparent() or trace.traceparent)

    def _traceparent(self) -> str:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get("traceparent", "")


def configured_spans() -> Spans | None:
    """OpenTelemetry's spans where it is installed and has been given a provider, otherwise None."""
    if find_spec("opentelemetry") is None:
        return None
    from opentelemetry import trace

    return None if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider) else OpenTelemetrySpans()
