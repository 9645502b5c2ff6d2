"""W3C trace context in frames, and the spans of OpenTelemetry."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from actors import Actor, Ask, Ref, System, Tell, Trace, current
from actors.spans import OpenTelemetrySpans
from tests.actors.cast import Counter, CrashAsk, Relay

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


class Where(Ask[str]):
    via: Ref[Any] | None = None


class Note(Tell):
    pass


class Reporter(Actor):
    """Answers with the traceparent that it, or the actor behind it, has."""

    async def receive(self, message: Any) -> str:
        if isinstance(message, Where) and message.via is not None:
            return await message.via.ask(Where())
        cause = self.context.cause
        return cause.traceparent if cause is not None else ""


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def spans_by_actor(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {str((span.attributes or {}).get("actor.path", span.name)): span for span in exporter.get_finished_spans()}


async def ask_in_trace(ref: Ref[Any], message: Ask[Any]) -> Any:
    token = current.cause.set(Trace("request", traceparent=TRACEPARENT))
    try:
        return await ref.ask(message)
    finally:
        current.cause.reset(token)


async def test_a_traceparent_goes_through_unchanged_without_spans() -> None:
    """SEMANTICS 20.1"""
    async with System(spans=None) as system:
        near, far = [await system.spawn(Reporter, name=name) for name in ("near", "far")]
        assert await ask_in_trace(near, Where(far)) == TRACEPARENT
        assert await near.ask(Where(far)) == ""


async def test_each_handler_is_a_span_below_its_sender(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """SEMANTICS 20.2"""
    async with System(spans=OpenTelemetrySpans(provider)) as system:
        near, far = [await system.spawn(Reporter, name=name) for name in ("near", "far")]
        seen = await ask_in_trace(near, Where(far))
        await near.ask(Where(far))  # without a trace there is no span
    spans = spans_by_actor(exporter)
    assert set(spans) == {"near", "far"}
    assert len(exporter.get_finished_spans()) == 2
    for span in spans.values():
        assert span.context is not None
        assert f"{span.context.trace_id:032x}" == TRACE_ID
    near_span, far_span = spans["near"], spans["far"]
    assert near_span.parent is not None
    assert far_span.parent is not None
    assert f"{near_span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert near_span.context is not None
    assert far_span.parent.span_id == near_span.context.span_id
    assert far_span.context is not None
    assert seen == f"00-{TRACE_ID}-{far_span.context.span_id:016x}-01"


async def test_what_a_handler_raises_is_in_its_span(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    """SEMANTICS 20.2"""
    async with System(spans=OpenTelemetrySpans(provider)) as system:
        ref = await system.spawn(Counter, name="fragile")
        with pytest.raises(Exception, match="asked to crash"):
            await ask_in_trace(ref, CrashAsk())
    (span,) = exporter.get_finished_spans()
    assert not span.status.is_ok
    assert [event.name for event in span.events] == ["exception"]


async def test_a_span_outside_of_actors_begins_the_trace(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """SEMANTICS 20.3"""
    tracer = provider.get_tracer("test")
    async with System(spans=OpenTelemetrySpans(provider)) as system:
        ref, behind = [await system.spawn(Counter, name=name) for name in ("first", "second")]
        with tracer.start_as_current_span("request"):
            await ref.ask(Relay(behind))
            await ref.tell(Note())
        await system.idle()
    names = [(span.attributes or {}).get("actor.path", span.name) for span in exporter.get_finished_spans()]
    assert sorted(map(str, names)) == ["first", "first", "request", "second"]
    traces = {span.context.trace_id for span in exporter.get_finished_spans() if span.context is not None}
    assert len(traces) == 1
