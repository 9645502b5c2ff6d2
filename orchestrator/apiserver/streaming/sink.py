"""Our end of a session on a node: an actor that queues what comes, and counts what may go."""

from __future__ import annotations

import asyncio
from typing import Any

from actors import Actor, AskTimeout, Down, Mailbox, MailboxFull, Ref, Refused, Tell, temporary
from orchestrator.apimachinery import errors
from orchestrator.client.node import (
    INPUT_CREDIT,
    MAX_FRAME_BYTES,
    OUTPUT_CREDIT,
    Credit,
    Finished,
    Hangup,
    Input,
    InputEnd,
    OpenAttach,
    Opened,
    OpenExec,
    OpenLog,
    OpenPort,
    Output,
    Resize,
)

OPEN_SECONDS = 30.0
MAILBOX_FRAMES = OUTPUT_CREDIT * 2
Open = OpenLog | OpenExec | OpenAttach | OpenPort


class Follow(Tell):
    """End when this session's actor ends."""

    session: Ref[Any]


class _Gone(Tell):
    """The session's actor ended; its last words come before this."""


class SessionSink(Actor):
    """Hands frames to a queue. The queue is bounded by the credit that was granted."""

    def __init__(self, frames: asyncio.Queue[Output | Finished], credit: asyncio.Semaphore) -> None:
        self._frames = frames
        self._credit = credit

    async def receive(self, message: Any) -> Any:
        match message:
            case Output() | Finished():
                self._frames.put_nowait(message)
            case Credit(frames=frames):
                for _ in range(frames):
                    self._credit.release()
            case Follow(session=session):
                self.context.watch(session)
            case Down():
                # A signal overtakes mail: what the session said last may still be on its way to us.
                self.context.ref.tell_nowait(_Gone())
            case _Gone():
                self._frames.put_nowait(Finished(None, "the session's node went away"))
        return None


class Session:
    """One open session. Use as ``async with``; leaving it hangs up."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self.frames: asyncio.Queue[Output | Finished] = asyncio.Queue()
        self._credit = asyncio.Semaphore(INPUT_CREDIT)
        self._sink: Ref[Any] | None = None
        self._session: Ref[Any] | None = None

    async def __aenter__(self) -> Session:
        context = self._actor.context
        mailbox = Mailbox(MAILBOX_FRAMES)
        self._sink = await context.spawn(SessionSink, self.frames, self._credit, restart=temporary, mailbox=mailbox)
        return self

    async def __aexit__(self, *exit: object) -> None:
        if self._session is not None:
            self._session.tell_nowait(Hangup())
        if self._sink is not None:
            await self._actor.context.stop_child(self._sink)

    @property
    def sink(self) -> Ref[Any]:
        assert self._sink is not None
        return self._sink

    async def open(self, node: Ref[Any], message: Open) -> None:
        """Raises ``StatusError`` when the kubelet says no."""
        try:
            opened: Opened = await node.ask(message, OPEN_SECONDS)
        except Refused as refused:
            raise refusal(refused) from refused
        except (AskTimeout, Down, MailboxFull) as gone:
            raise errors.service_unavailable(f"the pod's kubelet does not answer: {gone}") from gone
        self._session = opened.session
        await self.sink.tell(Follow(opened.session))

    async def next(self) -> Output | Finished:
        """The next frame; what is taken is granted again."""
        frame = await self.frames.get()
        if isinstance(frame, Finished):
            self._session = None
        elif self._session is not None:
            self._session.tell_nowait(Credit(1))
        return frame

    async def write(self, data: bytes) -> None:
        """Input, as far as there is credit; waits for more."""
        for start in range(0, len(data), MAX_FRAME_BYTES):
            await self._credit.acquire()
            if self._session is None:
                return
            await self._session.tell(Input(data[start : start + MAX_FRAME_BYTES]))

    async def end_input(self) -> None:
        if self._session is not None:
            await self._session.tell(InputEnd())

    async def resize(self, columns: int, rows: int) -> None:
        if self._session is not None:
            await self._session.tell(Resize(columns, rows))


def refusal(refused: Refused) -> errors.StatusError:
    match refused.code:
        case "not-found":
            return errors.status(404, "NotFound", refused.message)
        case "not-running" | "invalid":
            return errors.bad_request(refused.message)
    return errors.internal(refused.message or refused.code)
