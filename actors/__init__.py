"""An actor library for asyncio: serial actors, bounded mailboxes of MessagePack frames, supervision, injected time.

Knows nothing of Kubernetes; imports nothing of ``orchestrator``. What it promises is numbered in
``docs/SEMANTICS.md``. Reading order: ``message``, ``actor``, ``context``, ``ref``, ``system`` (what people use);
``codec``, ``mailbox``, ``cell``, ``worker`` (how mail moves); ``supervision`` (data), ``keeper``, ``lifecycle``,
``links`` (how actors live and end); ``remoting`` (actors of other nodes); ``metrics``, ``spans`` (how a running system
is watched); ``names``, ``groups``, ``stream``, ``topic``, ``router``, ``pool``, ``machine``, ``blocking``, ``watchdog``
(what is built on them, each a subject of ``docs/actors.md``); ``testing`` (the testkit that is shipped).
"""

from actors.actor import Actor
from actors.blocking import BlockingPool, Run
from actors.clock import Clock, Handle, LoopClock
from actors.codec import Header
from actors.context import Context
from actors.dead_letters import DeadLetter
from actors.errors import (
    ActorError,
    AskCycle,
    AskTimeout,
    Down,
    Escalated,
    MailboxFull,
    NameTaken,
    Refused,
    StartFailed,
    StashFull,
    SystemClosed,
    Unpackable,
)
from actors.exit import Exit
from actors.groups import GroupChanged, Groups
from actors.machine import IllegalTransition, StateMachine, StateTimeout
from actors.mailbox import Mailbox, Policy, drop_newest, drop_oldest, fail, keep_latest, wait
from actors.many import ask_many
from actors.message import Ask, Message, Shared, Tell
from actors.pool import Pool, PoolSize, PoolStatistics, PoolStatus
from actors.ref import Ref
from actors.remoting.errors import FrameTooLarge, PeerRefused, Unreachable
from actors.remoting.limits import Limits
from actors.remoting.security import Secret, Tls
from actors.router import ConsistentHash, RoundRobin, Router
from actors.statistics import Node, Statistics, SystemStatistics
from actors.stream import Stream, StreamStatistics
from actors.supervision import (
    Backoff,
    ChildSpec,
    DynamicSupervisor,
    Intensity,
    Restart,
    Strategy,
    Supervisor,
    child,
    one_for_all,
    one_for_one,
    permanent,
    rest_for_one,
    temporary,
    transient,
)
from actors.system import System
from actors.timer import ReceiveTimeout, Timer
from actors.topic import Subscribe, Subscription, Subscriptions, Topic, Unsubscribe, Unsubscribed
from actors.trace import Trace
from actors.watchdog import Hold, Holds, HoldStatistics, Watchdog

__all__ = [
    "Actor",
    "ActorError",
    "Ask",
    "AskCycle",
    "AskTimeout",
    "Backoff",
    "BlockingPool",
    "ChildSpec",
    "Clock",
    "ConsistentHash",
    "Context",
    "DeadLetter",
    "Down",
    "DynamicSupervisor",
    "Escalated",
    "Exit",
    "FrameTooLarge",
    "GroupChanged",
    "Groups",
    "Handle",
    "Header",
    "Hold",
    "HoldStatistics",
    "Holds",
    "IllegalTransition",
    "Intensity",
    "Limits",
    "LoopClock",
    "Mailbox",
    "MailboxFull",
    "Message",
    "NameTaken",
    "Node",
    "PeerRefused",
    "Policy",
    "Pool",
    "PoolSize",
    "PoolStatistics",
    "PoolStatus",
    "ReceiveTimeout",
    "Ref",
    "Refused",
    "Restart",
    "RoundRobin",
    "Router",
    "Run",
    "Secret",
    "Shared",
    "StartFailed",
    "StashFull",
    "StateMachine",
    "StateTimeout",
    "Statistics",
    "Strategy",
    "Stream",
    "StreamStatistics",
    "Subscribe",
    "Subscription",
    "Subscriptions",
    "Supervisor",
    "System",
    "SystemClosed",
    "SystemStatistics",
    "Tell",
    "Timer",
    "Tls",
    "Topic",
    "Trace",
    "Unpackable",
    "Unreachable",
    "Unsubscribe",
    "Unsubscribed",
    "Watchdog",
    "ask_many",
    "child",
    "drop_newest",
    "drop_oldest",
    "fail",
    "keep_latest",
    "one_for_all",
    "one_for_one",
    "permanent",
    "rest_for_one",
    "temporary",
    "transient",
    "wait",
]
