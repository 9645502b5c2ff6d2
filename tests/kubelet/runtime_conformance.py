"""What every runtime promises, one function each: called with a made runtime and the images it knows.

``Kit`` names an image whose program runs until it is stopped, and one that takes a shell command when the runtime has
real programs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from orchestrator.kubelet.runtime.errors import ExecTimeout, ImageFailure, RuntimeFailure
from orchestrator.kubelet.runtime.runtime import (
    Container,
    ContainerConfig,
    LogOptions,
    Runtime,
    RuntimePod,
    SandboxConfig,
    State,
)

UID = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER = "aaaaaaaa-0000-4000-8000-000000000002"
WAIT_SECONDS = 20.0


class Kit(msgspec.Struct):
    """``shell`` is False where containers run no real program."""

    runtime: Runtime
    image: str
    shell: bool
    run_forever: tuple[str, ...] = ()


async def ignore(kit: Kit) -> None:
    await kit.runtime.start(lambda uid: None)


async def sandbox(kit: Kit, uid: str = UID) -> str:
    made = await kit.runtime.create_sandbox(SandboxConfig(uid, "default", f"pod-{uid[-1]}", 0))
    return made.ip


async def run(kit: Kit, *command: str, name: str = "app", attempt: int = 0, uid: str = UID, **fields: object) -> str:
    image_id = await kit.runtime.ensure_image(kit.image, "IfNotPresent")
    config = ContainerConfig(name, attempt, kit.image, image_id, command or kit.run_forever, **fields)  # type: ignore[arg-type]
    container_id = await kit.runtime.create_container(uid, config)
    await kit.runtime.start_container(container_id)
    return container_id


async def find(kit: Kit, container_id: str, uid: str = UID) -> Container:
    pod = await kit.runtime.observe(uid)
    assert pod is not None
    return next(one for one in pod.containers if one.id == container_id)


async def wait_for(kit: Kit, container_id: str, state: State) -> Container:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            found = await find(kit, container_id)
            if found.state is state:
                return found
            await asyncio.sleep(0.02)


async def text(kit: Kit, container_id: str, options: LogOptions) -> bytes:
    return b"".join([piece async for piece in kit.runtime.logs(container_id, options)])


async def a_pod_is_unknown_until_its_sandbox_is_made(kit: Kit) -> None:
    await ignore(kit)
    assert await kit.runtime.observe(UID) is None
    await sandbox(kit)
    pod = await kit.runtime.observe(UID)
    assert pod is not None
    assert pod.sandbox is not None
    assert (pod.sandbox.ready, pod.sandbox.attempt, pod.containers) == (True, 0, ())


async def two_pods_have_two_addresses(kit: Kit) -> None:
    await ignore(kit)
    first, second = await sandbox(kit), await sandbox(kit, OTHER)
    assert first
    assert first != second


async def a_second_sandbox_beside_a_ready_one_is_refused(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    with pytest.raises(RuntimeFailure):
        await sandbox(kit)


async def a_started_container_runs(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    found = await wait_for(kit, await run(kit), State.RUNNING)
    assert (found.name, found.attempt, found.image) == ("app", 0, kit.image)
    assert found.started_at > 0


async def the_same_attempt_is_not_created_twice(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    await run(kit)
    with pytest.raises(RuntimeFailure):
        await run(kit)


async def a_container_without_a_sandbox_is_refused(kit: Kit) -> None:
    await ignore(kit)
    with pytest.raises(RuntimeFailure):
        await run(kit)


async def a_container_that_is_asked_to_stop_ends(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    container_id = await run(kit)
    await wait_for(kit, container_id, State.RUNNING)
    await kit.runtime.stop_container(container_id)
    found = await wait_for(kit, container_id, State.EXITED)
    assert found.finished_at >= found.started_at


async def a_killed_container_says_137(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    container_id = await run(kit)
    await kit.runtime.kill_container(container_id)
    assert (await wait_for(kit, container_id, State.EXITED)).exit_code == 137


async def both_attempts_of_a_container_are_seen_in_order(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    first = await run(kit)
    await kit.runtime.kill_container(first)
    await wait_for(kit, first, State.EXITED)
    await run(kit, attempt=1)
    pod = await kit.runtime.observe(UID)
    assert pod is not None
    assert [one.attempt for one in pod.containers] == [0, 1]


async def a_removed_container_is_forgotten(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    container_id = await run(kit)
    await kit.runtime.kill_container(container_id)
    await wait_for(kit, container_id, State.EXITED)
    await kit.runtime.remove_container(container_id)
    pod = await kit.runtime.observe(UID)
    assert pod is not None
    assert pod.containers == ()


async def a_stopped_sandbox_is_not_ready_and_keeps_ends(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    container_id = await run(kit)
    await kit.runtime.kill_container(container_id)
    await wait_for(kit, container_id, State.EXITED)
    await kit.runtime.stop_sandbox(UID)
    pod = await kit.runtime.observe(UID)
    assert pod is not None
    assert pod.sandbox is None or not pod.sandbox.ready
    assert [one.exit_code for one in pod.containers] == [137]


async def a_removed_pod_is_forgotten(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    await run(kit)
    await kit.runtime.remove_pod(UID)
    assert await kit.runtime.observe(UID) is None
    assert await kit.runtime.pods() == []
    await kit.runtime.remove_pod(UID)


async def stopping_and_removing_what_is_gone_is_no_error(kit: Kit) -> None:
    await ignore(kit)
    await kit.runtime.kill_container(f"{UID}.app.0")
    await kit.runtime.remove_container(f"{UID}.app.0")
    await kit.runtime.stop_sandbox(UID)
    assert await kit.runtime.pods() == []


async def an_unknown_image_is_an_image_failure(kit: Kit) -> None:
    await ignore(kit)
    with pytest.raises(ImageFailure) as failure:
        await kit.runtime.ensure_image("foo:non-existent", "IfNotPresent")
    assert failure.value.reason == "ErrImagePull"


async def a_change_is_reported(kit: Kit) -> None:
    told: list[str] = []
    await kit.runtime.start(told.append)
    await sandbox(kit)
    container_id = await run(kit, *(("sh", "-c", "exit 0") if kit.shell else ()))
    if not kit.shell:
        pytest.skip("nothing ends by itself here")
    await wait_for(kit, container_id, State.EXITED)
    await asyncio.sleep(0.1)
    assert UID in told


async def the_machine_has_a_size(kit: Kit) -> None:
    await ignore(kit)
    machine = await kit.runtime.machine()
    assert machine.cpu_millis > 0
    assert machine.memory_bytes > 0


async def figures_name_the_containers_that_run(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    await wait_for(kit, await run(kit), State.RUNNING)
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            figures = await kit.runtime.figures()
            assert [(one.uid, [c.name for c in one.containers]) for one in figures] == [(UID, ["app"])]
            if figures[0].containers[0].memory_bytes > 0:  # the kernel counts a new program's pages a moment later
                return
            await asyncio.sleep(0.02)


# what takes a real program


async def the_exit_status_of_the_program_is_seen(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    found = await wait_for(kit, await run(kit, "sh", "-c", "exit 7"), State.EXITED)
    assert (found.exit_code, found.signal) == (7, 0)


async def logs_are_whole_lines_of_both_streams(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    container_id = await run(kit, "sh", "-c", "echo one; sleep 0.1; echo two >&2; sleep 0.1; printf three")
    await wait_for(kit, container_id, State.EXITED)
    assert await text(kit, container_id, LogOptions()) == b"one\ntwo\nthree\n"
    assert await text(kit, container_id, LogOptions(tail_lines=1)) == b"three\n"
    assert await text(kit, container_id, LogOptions(tail_lines=0)) == b""
    assert await text(kit, container_id, LogOptions(limit_bytes=5)) == b"one\nt"
    stamped = (await text(kit, container_id, LogOptions(timestamps=True))).splitlines()
    assert [line.split(b"Z ", 1)[1] for line in stamped] == [b"one", b"two", b"three"]


async def followed_logs_end_with_the_container(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    container_id = await run(kit, "sh", "-c", "echo one; sleep 0.3; echo two")
    async with asyncio.timeout(WAIT_SECONDS):
        assert await text(kit, container_id, LogOptions(follow=True)) == b"one\ntwo\n"


async def exec_gives_output_and_status(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    container_id = await run(kit)
    result = await kit.runtime.exec(container_id, ["sh", "-c", "echo out; exit 3"], 10.0)
    assert (result.code, result.output) == (3, b"out\n")


async def exec_that_takes_too_long_is_ended(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    container_id = await run(kit)
    with pytest.raises(ExecTimeout):
        await kit.runtime.exec(container_id, ["sleep", "30"], 0.2)


async def a_session_carries_input_output_and_status(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    container_id = await run(kit)
    session = await kit.runtime.open_exec(
        container_id, ["sh", "-c", "cat; echo err >&2; exit 5"], tty=False, stdin=True
    )
    await session.write(b"hello\n")
    await session.close_input()
    pieces: dict[int, bytes] = {1: b"", 2: b""}
    async with asyncio.timeout(WAIT_SECONDS):
        async for stream, data in session.output():
            pieces[stream] += data
        assert await session.wait() == 5
    await session.close()
    assert pieces == {1: b"hello\n", 2: b"err\n"}


async def a_session_with_a_terminal_has_one(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    container_id = await run(kit)
    session = await kit.runtime.open_exec(container_id, ["sh", "-c", "test -t 0 && echo yes"], tty=True, stdin=True)
    async with asyncio.timeout(WAIT_SECONDS):
        output = b"".join([data async for _, data in session.output()])
    await session.close()
    assert output.strip() == b"yes"


async def the_environment_reaches_the_program(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    container_id = await run(kit, "sh", "-c", "echo $GREETING", env=(("GREETING", "hello there"),))
    await wait_for(kit, container_id, State.EXITED)
    assert await text(kit, container_id, LogOptions()) == b"hello there\n"


async def a_program_that_is_not_there_does_not_run(kit: Kit) -> None:
    await ignore(kit)
    await sandbox(kit)
    container_id = await run(kit, "/no/such/program")
    found = await wait_for(kit, container_id, State.EXITED)
    assert (found.reason, found.exit_code) == ("StartError", 128)


Promise = Callable[[Kit], Awaitable[None]]

ANY: tuple[Promise, ...] = (
    a_pod_is_unknown_until_its_sandbox_is_made,
    two_pods_have_two_addresses,
    a_second_sandbox_beside_a_ready_one_is_refused,
    a_started_container_runs,
    the_same_attempt_is_not_created_twice,
    a_container_without_a_sandbox_is_refused,
    a_container_that_is_asked_to_stop_ends,
    a_killed_container_says_137,
    both_attempts_of_a_container_are_seen_in_order,
    a_removed_container_is_forgotten,
    a_stopped_sandbox_is_not_ready_and_keeps_ends,
    a_removed_pod_is_forgotten,
    stopping_and_removing_what_is_gone_is_no_error,
    an_unknown_image_is_an_image_failure,
    a_change_is_reported,
    the_machine_has_a_size,
    figures_name_the_containers_that_run,
)
REAL: tuple[Promise, ...] = (
    the_exit_status_of_the_program_is_seen,
    logs_are_whole_lines_of_both_streams,
    followed_logs_end_with_the_container,
    exec_gives_output_and_status,
    exec_that_takes_too_long_is_ended,
    a_session_carries_input_output_and_status,
    a_session_with_a_terminal_has_one,
    the_environment_reaches_the_program,
    a_program_that_is_not_there_does_not_run,
)

__all__ = ["ANY", "OTHER", "REAL", "UID", "Kit", "Promise", "RuntimePod", "find", "run", "sandbox", "text", "wait_for"]
