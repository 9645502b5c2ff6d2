"""Imported by the fork server before it forks: what a member needs, so that its start costs no second of imports."""

import orchestrator.cli.main
import orchestrator.cli.store.serve
import orchestrator.membership
import orchestrator.pki
import orchestrator.store.gateway.door
import orchestrator.store.sqlite_log
import orchestrator.store.store  # noqa: F401
